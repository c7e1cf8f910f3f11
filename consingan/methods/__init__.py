"""Methods: each in a folder of its own, none importing another."""
