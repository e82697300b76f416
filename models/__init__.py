"""Everything learned: the networks, their training, and the weights that ship."""
