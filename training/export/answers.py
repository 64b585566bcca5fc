"""What the checkpoint answers in PyTorch, in fp32 and one row at a time: the reference for every exported file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from errors import ExportError
from golden import Text


@dataclass(frozen=True)
class Answer:
    text: Text
    # The graph's inputs by name, of one row.
    columns: dict[str, list[int]]
    truncated: bool
    logits: np.ndarray

    @property
    def ids(self) -> list[int]:
        return self.columns["input_ids"]

    def entry(self) -> dict:
        """As golden.json holds it."""
        first, *rest = self.text if isinstance(self.text, tuple) else (self.text,)
        return {
            "text": first,
            **({"text_pair": rest[0]} if rest else {}),
            "token_ids": self.ids,
            "truncated": self.truncated,
            "logits": [round(float(value), 6) for value in self.logits],
        }


@dataclass(frozen=True)
class Reference:
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    names: list[str]
    limit: int

    @torch.inference_mode()
    def answer(self, texts: Sequence[Text]) -> list[Answer]:
        """Texts without any token are left out: there is nothing to answer."""
        return [answer for text in texts if (answer := self.answer_one(text)) is not None]

    def answer_one(self, text: Text) -> Answer | None:
        columns = self.encode(text, truncation="longest_first", max_length=self.limit)
        ids = columns["input_ids"]
        if not ids:
            return None
        self.require_known(max(ids))
        inputs = {name: torch.tensor([columns[name]]) for name in self.names}
        logits = self.model(**inputs).logits
        if logits.shape != (1, self.model.config.num_labels):
            raise ExportError(
                f"the logits of one text have the shape {tuple(logits.shape)}; "
                f"expected one number for each of the {self.model.config.num_labels} labels"
            )
        truncated = len(self.encode(text, truncation=False)["input_ids"]) > len(ids)
        return Answer(text, {name: columns[name] for name in {*self.names, "input_ids"}}, truncated, logits[0].numpy())

    def encode(self, text: Text, **options: object) -> dict[str, list[int]]:
        texts = text if isinstance(text, tuple) else (text,)
        types = "token_type_ids" in self.names
        columns = self.tokenizer(
            *texts, return_token_type_ids=types, return_attention_mask=True, verbose=False, **options
        )
        # As Transformers makes it for a classifier: the first token sees, and is seen by, all others.
        columns["global_attention_mask"] = [int(index == 0) for index in range(len(columns["input_ids"]))]
        return columns

    def require_known(self, largest: int) -> None:
        rows = self.model.get_input_embeddings().weight.shape[0]
        if largest >= rows:
            raise ExportError(
                f"the tokenizer gives the id {largest}, but the model has {rows} rows of embeddings: "
                "they do not belong together, or an added token was never trained"
            )
