"""Listening tests: clips under blind names, a page with the paper's five questions, the analysis of answers."""
