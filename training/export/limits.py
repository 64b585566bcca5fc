"""How many tokens a model reads, as the server finds it: src/models/token-limit.ts is the same in TypeScript."""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

FALLBACK = 512
# Tokenizers without a limit of their own write a number like 1e30.
MOST_BELIEVED = 1_000_000
FIELDS = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_seq_length",
    "max_sequence_length",
    "seq_length",
)


def token_limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The least of what configuration and tokenizer allow, special tokens included."""
    config = model.config.to_dict()
    unused = unused_positions(model)
    limits = [config[field] - unused for field in FIELDS if believed(config.get(field))]
    if believed(tokenizer.model_max_length):
        limits.append(tokenizer.model_max_length)
    return min(limits, default=FALLBACK)


def unused_positions(model: PreTrainedModel) -> int:
    """RoBERTa and its kin count positions from the padding id + 1: their table of positions has a padding row."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def believed(limit: object) -> bool:
    return isinstance(limit, int) and 0 < limit <= MOST_BELIEVED
