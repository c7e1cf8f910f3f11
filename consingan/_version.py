__version__ = "1.11.0"
