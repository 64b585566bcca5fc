"""A text classifier for MLServer: the same ONNX file, tokenizer, threads and truncation as Verdict's.

A peer to measure against, not a part of Verdict: docs/benchmarks/method.md, "Other servers", says how to start it. MLServer
gathers requests into batches by itself (`max_batch_size`, `max_batch_time` in model-settings.json).
"""
import json
import os

import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from tokenizers import Tokenizer


class OnnxClassifier(MLModel):
    async def load(self) -> bool:
        directory = os.environ["MODEL_DIR"]
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        self._tokenizer = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
        self._tokenizer.enable_truncation(config["max_position_embeddings"])
        self._tokenizer.enable_padding(pad_id=config.get("pad_token_id", 0))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", str(os.cpu_count() or 1)))
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = os.path.join(directory, os.environ.get("MODEL_FILE", "onnx/model.onnx"))
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = {node.name for node in self._session.get_inputs()}
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = StringCodec.decode_input(payload.inputs[0])
        encodings = self._tokenizer.encode_batch(texts)
        tensors = {
            "input_ids": [encoding.ids for encoding in encodings],
            "attention_mask": [encoding.attention_mask for encoding in encodings],
            "token_type_ids": [encoding.type_ids for encoding in encodings],
        }
        feeds = {name: numpy.array(rows, dtype=numpy.int64) for name, rows in tensors.items() if name in self._inputs}
        logits = self._session.run(None, feeds)[0]
        shifted = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        scores = shifted / shifted.sum(axis=1, keepdims=True)
        return InferenceResponse(
            model_name=self.name,
            outputs=[NumpyCodec.encode_output("scores", scores.astype(numpy.float32))],
        )
