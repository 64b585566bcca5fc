"""The families that classify with a decoder, each with one variant of labels, inputs and outputs."""

import family_tokenizers as tokenizers
from family import ENCODER, MAX_TOKENS, MULTI, NLI, ROBERTA_TOKENS, Family

DECODER = {**ENCODER, "num_key_value_heads": 1}
GPT2 = {
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": MAX_TOKENS,
    "initializer_range": 0.4,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
GPT2_TOKENS = dict.fromkeys(["bos_token", "eos_token", "unk_token"], "<|endoftext|>")
QWEN_TOKENS = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "padding_side": "left"}

DECODERS = [
    Family(
        "bart",
        "Bart",
        tokenizers.roberta,
        "BartTokenizer",
        ROBERTA_TOKENS,
        {
            "d_model": 16,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 24,
            "decoder_ffn_dim": 24,
            "max_position_embeddings": MAX_TOKENS,
            "init_std": 0.4,
        },
        labels=["contradiction", "neutral", "entailment"],
    ),
    Family(
        "gpt2",
        "GPT2",
        tokenizers.gpt2,
        "GPT2Tokenizer",
        {**GPT2_TOKENS, "pad_token": "<|endoftext|>"},
        {**GPT2, "pad_token_id": 0},
        labels=["negative", "neutral", "positive"],
    ),
    Family("gpt2-unpadded", "GPT2", tokenizers.gpt2, "GPT2Tokenizer", GPT2_TOKENS, GPT2, dynamo=False),
    Family(
        "qwen2",
        "Qwen2",
        tokenizers.qwen2,
        "Qwen2Tokenizer",
        QWEN_TOKENS,
        {**DECODER, "pad_token_id": 0, "eos_token_id": 2},
        labels=["harmless", "spam", "abuse"],
        problem_type=MULTI,
    ),
    Family(
        "qwen3",
        "Qwen3",
        tokenizers.qwen2,
        "Qwen2Tokenizer",
        QWEN_TOKENS,
        {**DECODER, "head_dim": 8, "pad_token_id": 0, "eos_token_id": 2},
        labels=1,
        problem_type=None,
    ),
    Family(
        "llama",
        "Llama",
        tokenizers.llama,
        "LlamaTokenizer",
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>", "padding_side": "left"},
        {**DECODER, "pad_token_id": 2, "bos_token_id": 1, "eos_token_id": 2},
        from_hub=True,
    ),
    Family(
        "opt",
        "OPT",
        tokenizers.opt,
        "GPT2Tokenizer",
        {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"},
        {
            "hidden_size": 16,
            "word_embed_proj_dim": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "ffn_dim": 24,
            "max_position_embeddings": MAX_TOKENS,
            "init_std": 0.4,
        },
    ),
    Family(
        "bloom",
        "Bloom",
        tokenizers.bloom,
        "BloomTokenizerFast",
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "padding_side": "left"},
        {"hidden_size": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.4, "pad_token_id": 3},
        labels=NLI,
    ),
]
