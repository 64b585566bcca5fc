"""The steps from a checkpoint to a version's files, and what there is to report of each."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from answers import Answer, Reference
from candidates import GROUPS, Group, overlong
from checkpoint import Checkpoint, first_lines
from choose import choose
from errors import ExportError
from golden import write_golden
from half import write_half
from inputs import graph_inputs
from int8 import write_int8
from judge import Judge, Verdict, shared_batches
from labels import ACTIVATIONS, problem_type
from limits import token_limit
from onnx_export import export_onnx
from quantize import Batch
from replay import alone, feeds, open_session

FILES = {"fp32": "model.onnx", "fp16": "model_fp16.onnx", "int8": "model_quantized.onnx"}

# One ONNX file is a protobuf message, which holds less than 2 GiB.
MOST_BYTES = 2**31 - 2**20

# Attention over more tokens takes gigabytes, at every start of a server.
MOST_TOKENS = 1024

LEAST_ENTRIES = 16


def export_version(
    checkpoint: Checkpoint, folder: Path, precisions: list[str], max_length: int | None, opset: int
) -> Iterator[str]:
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    names = graph_inputs(model, tokenizer)
    limit = write_layout(model, tokenizer, folder, max_length)
    problem = problem_type(model.config)
    yield f"{type(model).__name__}, {ACTIVATIONS[problem]}, inputs {', '.join(names)}, at most {limit} tokens"
    yield f"labels ({model.config.num_labels}): {', '.join(first_labels(model))}"

    reference = Reference(model, tokenizer, names, limit)
    groups = [*GROUPS, overlong(min(limit, MOST_TOKENS))]
    answered = [(group, reference.answer(group.texts)) for group in groups]
    answers = [answer for _, found in answered for answer in found]
    require_finite(answers)
    if note := pad_id(model, tokenizer):
        yield note
        model.config.save_pretrained(folder)
    pad = model.config.pad_token_id or 0

    (folder / "onnx").mkdir()
    fp32 = folder / "onnx" / FILES["fp32"]
    write_fp32(model, fp32, names, opset, lambda: alone(open_session(fp32), answers, pad))
    judge = Judge(problem, pad, shared_batches(fp32, answers, pad))
    if judge.batches != "padded":
        yield "its answers change with padding: the server will run texts of one length, or one at a time"
    verdicts = {"fp32": judge.judge("fp32", fp32, answers)}
    if verdicts["fp32"].faults:
        raise ExportError(f"the exported graph computes something else than PyTorch: {'; '.join(verdicts['fp32'].faults)}")
    writers = {
        "fp16": {"": lambda path: write_half(fp32, path, batches(answers, names, judge))},
        "int8": {
            "": lambda path: write_int8(fp32, path, embeddings=True),
            "embeddings in fp32": lambda path: write_int8(fp32, path, embeddings=False),
        },
    }
    for precision in [name for name in precisions if name != "fp32"]:
        path = folder / "onnx" / FILES[precision]
        faults: list[str] = []
        for how, write in writers[precision].items():
            try:
                write(path)
                verdict = judge.judge(precision, path, answers)
            except Exception as error:
                # A converter that does not know the model takes nothing away from the other precisions.
                faults = [first_lines(error)]
                continue
            faults = verdict.faults
            if not faults:
                verdicts[precision] = verdict
                if how:
                    yield f"{precision}: {how}, since it is not accurate enough otherwise"
                break
        else:
            path.unlink(missing_ok=True)
            yield f"{precision} is left out: {'; '.join(faults)}"

    if "fp32" not in precisions:
        verdicts.pop("fp32")
        if not verdicts:
            raise ExportError("no precision is left: add fp32 to --precisions")
    entries, short = known_answers(reference, judge, answered, verdicts)
    if "fp32" not in precisions:
        fp32.unlink()
    if short:
        yield f"too few texts with a clear label: {', '.join(short)}"
    write_golden(
        folder / "golden.json",
        model,
        [answer.entry() for answer in entries],
        max_length=limit,
        fp32_tolerance=verdicts["fp32"].tolerance if "fp32" in verdicts else None,
        fp16_tolerance=verdicts["fp16"].tolerance if "fp16" in verdicts else None,
        int8_tolerance=verdicts["int8"].tolerance if "int8" in verdicts else None,
    )
    yield f"golden.json: {len(entries)} entries"
    for precision, verdict in verdicts.items():
        size = (folder / "onnx" / FILES[precision]).stat().st_size
        yield (
            f"{precision}: onnx/{FILES[precision]}, {size / 1e6:.2f} MB, "
            f"largest difference {verdict.difference:.2g}, tolerance {verdict.tolerance:.2g}, "
            f"other labels in {verdict.changed} of {len(answers)} texts"
        )


def write_layout(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, max_length: int | None
) -> int:
    """Writes the configuration and the tokenizer. @returns the tokens that the model reads at most"""
    limit = token_limit(model, tokenizer)
    if max_length is not None:
        if max_length > limit:
            raise ExportError(f"--max-length is {max_length}, but the model reads {limit} tokens at most")
        limit = max_length
    if limit < 1:
        raise ExportError("its number of positions leaves no room for a token")
    tokenizer.model_max_length = limit
    # A checkpoint may carry those of its training; Transformers ignores them.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    tokenizer.truncation_side = "right"
    return limit


def pad_id(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Gives a padding id to a model without one, which would classify one text at a time only."""
    config = model.config
    if config.pad_token_id is not None:
        return None
    end = config.eos_token_id[0] if isinstance(config.eos_token_id, list) else config.eos_token_id
    config.pad_token_id = next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, end) if i is not None), None)
    if config.pad_token_id is None:
        return None
    return f"its configuration names no padding id: pad_token_id is {config.pad_token_id}"


def write_fp32(
    model: PreTrainedModel, path: Path, names: list[str], opset: int, tried: Callable[[], object]
) -> None:
    size = sum(weight.numel() * 4 for weight in model.parameters())
    if size > MOST_BYTES:
        raise ExportError(f"its weights take {size / 2**30:.1f} GiB in fp32; one ONNX file holds less than 2 GiB")
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    faults = []
    # The code of some models, such as BART's, cannot be read, or Longformer's gives a graph for one length. A trace may do.
    for dynamo in (True, False):
        try:
            export_onnx(model, path, names=names, opset=opset, dynamo=dynamo)
            tried()
        except Exception as error:
            faults.append(error)
        else:
            return
    raise ExportError(
        f"PyTorch cannot export {type(model).__name__} to ONNX: {'; or: '.join(first_lines(fault) for fault in faults)}"
    ) from faults[0]


def known_answers(
    reference: Reference, judge: Judge, answered: list[tuple[Group, list[Answer]]], verdicts: dict[str, Verdict]
) -> tuple[list[Answer], list[str]]:
    """Texts whose labels stay though every logit is as far off as the furthest was, and do so when they are tried."""
    needed = max(verdict.difference for verdict in verdicts.values())

    def clear(answers: Sequence[Answer]) -> list[Answer]:
        found = [answer for answer in answers if judge.slack(answer) > needed]
        for verdict in verdicts.values() if found else ():
            found = [a for a, holds in zip(found, judge.reproduces(verdict, found), strict=True) if holds]
            if not found:
                break
        return found

    chosen, short = choose(answered, judge.slack, clear, reference.answer)
    entries = clear(chosen)
    if len(entries) < LEAST_ENTRIES:
        raise ExportError(
            f"only {len(entries)} texts keep a clear label in {', '.join(verdicts)}, and a golden.json needs "
            f"{LEAST_ENTRIES}: ask for fewer --precisions. Is the model trained?"
        )
    return entries, short


def first_labels(model: PreTrainedModel, most: int = 8) -> list[str]:
    labels = [str(model.config.id2label[index]) for index in range(model.config.num_labels)]
    return labels if len(labels) <= most else [*labels[:most], "..."]


def require_finite(answers: list[Answer]) -> None:
    if not all(np.isfinite(answer.logits).all() for answer in answers):
        raise ExportError("the model answers with NaN or infinity: are its weights damaged?")


def batches(answers: list[Answer], names: list[str], judge: Judge) -> list[Batch]:
    """Every text beside another one, so that the shorter one is padded, or alone where that changes its answer."""
    size = 2 if judge.batches == "padded" else 1
    return [feeds(names, answers[index : index + size], judge.pad) for index in range(0, len(answers), size)]
