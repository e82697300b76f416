"""From what is seen to where music is and how it is divided: spotting, sections, forms.  numpy only."""
