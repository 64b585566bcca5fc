"""Fine-tunes all-MiniLM-L6-v2 for one of the embedded models and writes the checkpoint that build_model.py exports.

Several runs differ in the order of their texts, in what dropout leaves out, and some in their recipes. Their weights are averaged, which is better than
each of them and costs nothing later (Wortsman et al. 2022, "Model soups"). Where a task has a teacher, that one learns first; its opinions are kept in
the output folder, and a later start takes them from there.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from fit import all_logits, fit
from layout import write_layout
from minilm import MeanClassifier, start_classifier
from scoring import judge
from tasks import SEED, TASKS, Task, TaughtTask, rows_of
from teacher import opinions

Weights = dict[str, torch.Tensor]


def start(task: Task) -> tuple[MeanClassifier, Tokenizer]:
    return start_classifier(task.labels, task.texts(), task.vocab_size, task.problem_type, SEED)


def learn_from_teacher(task: Task, kept: Path) -> None:
    """Gives the task the teacher's opinions, if it asks for them: those in the file `kept`, or new ones, which are kept there."""
    if not isinstance(task, TaughtTask):
        return
    if not kept.exists():
        texts = task.texts_for_opinions()
        told = opinions(task.sample_for_teacher, task.held_out, task.held_out_targets, texts, SEED)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(dict(zip(texts, told[:, 1].tolist(), strict=True))))
        print(f"the teacher's opinions of {len(texts)} texts are in {kept}", flush=True)
    task.opinions = json.loads(kept.read_text())


def train(name: str, data: Path, kept: Path, run: int) -> Weights:
    """One run, on one thread. Says after every epoch how the model does on the texts held out."""
    torch.set_num_threads(1)
    task = TASKS[name](data)
    learn_from_teacher(task, kept)
    model, tokenizer = start(task)
    held_out = rows_of(tokenizer, task.held_out)
    recipe = task.runs[run]
    model.freeze(recipe.frozen_layers)

    def tell(epoch: int, seconds: float, average: nn.Module) -> None:
        score = judge(task, all_logits(average, held_out).numpy())
        print(f"run {run + 1}, epoch {epoch + 1}, {seconds:.0f} s: held out: {score}", flush=True)

    average = fit(model, partial(task.sample, tokenizer), recipe, SEED + 10 * run, task.loss(), tell)
    return average.state_dict()


def mean_of(runs: list[Weights]) -> Weights:
    return {name: torch.stack([weights[name] for weights in runs]).mean(0) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True, help="for example build/sentiment")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time, a thread each")
    args = parser.parse_args()

    task = TASKS[args.task](args.data)
    model, tokenizer = start(task)
    print(
        f"{args.task}: {tokenizer.get_vocab_size()} pieces, {len(task.texts())} texts, {len(task.held_out)} held out",
        flush=True,
    )
    kept = args.out / "opinions.json"
    learn_from_teacher(task, kept)
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        runs = list(pool.map(partial(train, args.task, args.data, kept), range(len(task.runs))))
    model.load_state_dict(mean_of(runs))
    model.eval()
    print(f"mean of the weights: {judge(task, all_logits(model, rows_of(tokenizer, task.held_out)).numpy())}")
    model.save_pretrained(args.out)
    write_layout(args.out, model.config, tokenizer)


if __name__ == "__main__":
    main()
