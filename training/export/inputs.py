"""Which inputs a model's graph gets."""

import inspect

from transformers import PreTrainedModel, PreTrainedTokenizerBase


def graph_inputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """What the tokenizer makes and the model takes, in the order of the model's signature."""
    made = set(tokenizer.model_input_names)
    if not tells_texts_apart(model):
        made.discard("token_type_ids")
    if model.config.model_type == "longformer":
        made.add("global_attention_mask")
    return [name for name in inspect.signature(model.forward).parameters if name in made]


def tells_texts_apart(model: PreTrainedModel) -> bool:
    """RoBERTa's table has one row and DeBERTa's often none: the second text of a pair would be out of range, or ignored."""
    return getattr(model.config, "type_vocab_size", 2) > 1
