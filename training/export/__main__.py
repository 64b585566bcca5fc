"""Turns a Transformers checkpoint for sequence classification into a version's folder that Verdict serves.

    python training/export CHECKPOINT --out models/support-topics/1
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import transformers  # noqa: E402

from checkpoint import load_checkpoint  # noqa: E402
from errors import ExportError  # noqa: E402
from onnx_export import OPSET  # noqa: E402
from steps import FILES, export_version  # noqa: E402
from version_folder import name_advice, version_folder  # noqa: E402


def precisions(text: str) -> list[str]:
    names = text.split(",")
    if not names or set(names) - set(FILES):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(FILES)}")
    return [name for name in FILES if name in names]


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a positive integer")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python training/export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", help="a folder that save_pretrained wrote, or a model of the Hub")
    parser.add_argument("--out", type=Path, required=True, help="for example models/support-topics/1")
    parser.add_argument("--precisions", type=precisions, default=list(FILES), help=f"default: {','.join(FILES)}")
    parser.add_argument("--max-length", type=positive, help="tokens that the model reads at most; default: what it can")
    parser.add_argument("--opset", type=positive, default=OPSET, help=f"of the ONNX files; default: {OPSET}")
    parser.add_argument("--revision", help="branch, tag or commit on the Hub")
    parser.add_argument("--force", action="store_true", help="replace the version that is there")
    args = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        with version_folder(args.out, args.force) as folder:
            checkpoint = load_checkpoint(args.checkpoint, args.revision)
            for line in export_version(checkpoint, folder, args.precisions, args.max_length, args.opset):
                print(line, flush=True)
        print(f"written to {args.out}; check it: npx verdict models verify {args.out}")
        if advice := name_advice(args.out):
            print(f"note: {advice}")
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
