"""`python -m consingan`, which is `consingan` where the package is not installed."""

try:
    from consingan.cli import main
except KeyboardInterrupt:  # Ctrl+C while it is being loaded
    raise SystemExit(130) from None

if __name__ == "__main__":
    main(prog_name="consingan")
