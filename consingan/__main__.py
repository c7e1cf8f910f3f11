"""`python -m consingan`, which is `consingan` where the package is not installed."""

from consingan.cli import main

if __name__ == "__main__":
    main(prog_name="consingan")
