"""Make pictures with a trained model; `python evaluate_model.py --help` lists the options."""

try:
    from consingan.cli import evaluate
except KeyboardInterrupt:  # Ctrl+C while it is being loaded
    raise SystemExit(130) from None

if __name__ == "__main__":
    evaluate()
