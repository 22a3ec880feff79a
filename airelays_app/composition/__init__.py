"""The composition root: real dependencies meet here only."""
