"""`python -m vsr_core`: one file per command."""
