"""Make pictures with a trained model; `python evaluate_model.py --help` lists the options."""

from consingan.cli import evaluate

if __name__ == "__main__":
    evaluate()
