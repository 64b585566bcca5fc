"""What make_families.py needs to know of a family, and what families have in common."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import transformers
from tokenizers import Tokenizer
from transformers import PreTrainedModel

SEED = 11
MAX_TOKENS = 48

ENCODER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": MAX_TOKENS,
    "initializer_range": 0.4,
}
# RoBERTa and its kin leave the first positions up to the padding id unused.
ROBERTA = {**ENCODER, "max_position_embeddings": MAX_TOKENS + 2, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
BERT_TOKENS = dict(cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]")
ROBERTA_TOKENS = dict(
    bos_token="<s>",
    eos_token="</s>",
    cls_token="<s>",
    sep_token="</s>",
    unk_token="<unk>",
    pad_token="<pad>",
    mask_token="<mask>",
)
SPM_TOKENS = dict(cls_token="[CLS]", sep_token="[SEP]", pad_token="<pad>", unk_token="<unk>", mask_token="[MASK]")
NLI = ["entailment", "neutral", "contradiction"]
SINGLE = "single_label_classification"
MULTI = "multi_label_classification"


@dataclass(frozen=True)
class Family:
    # Name of the folder.
    name: str
    # Transformers' model class is this name with `ForSequenceClassification` behind it, the configuration's with `Config`.
    model: str
    tokenizer: Callable[[], Tokenizer]
    tokenizer_class: str
    # Special tokens and settings of tokenizer_config.json.
    tokenizer_config: dict
    config: dict
    # Label names, or their number where they have the default names.
    labels: list[str] | int = 2
    problem_type: str | None = SINGLE
    dtype: torch.dtype = torch.int64
    # What the graph gives: `logits`, `hidden_states`, `probabilities`.
    outputs: tuple[str, ...] = ("logits",)
    dynamo: bool = True
    few_texts: bool = False
    # Whether the tokenizer's files are those of the Hub, which Transformers 4 wrote, or written anew by Transformers 5.
    from_hub: bool = False

    def build(self, vocab_size: int) -> PreTrainedModel:
        torch.manual_seed(SEED)
        names = self.labels if isinstance(self.labels, list) else [f"LABEL_{index}" for index in range(self.labels)]
        config = getattr(transformers, f"{self.model}Config")(
            vocab_size=vocab_size,
            problem_type=self.problem_type,
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
            **self.config,
        )
        architecture = f"{self.model}ForSequenceClassification"
        config.architectures = [architecture]
        model = getattr(transformers, architecture)(config).eval()
        stir(model)
        return model


@torch.no_grad()
def stir(model: PreTrainedModel) -> None:
    """Gives every bias and scale a value of its own: as they are initialised, mistakes in them would not show."""
    generator = torch.Generator().manual_seed(SEED)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
