__version__ = "1.17.0"
