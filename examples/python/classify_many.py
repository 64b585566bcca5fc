"""Classifies the lines of standard input with asyncio: a few calls at a time, each with a deadline."""

import asyncio
import os
import sys

import grpc
from verdict.v1.classifier_service_pb2 import ClassifyRequest
from verdict.v1.classifier_service_pb2_grpc import ClassifierServiceStub

IN_FLIGHT = 16
DEADLINE_S = 5


async def classify(stub: ClassifierServiceStub, text: str, room: asyncio.Semaphore) -> str:
    async with room:
        try:
            reply = await stub.Classify(ClassifyRequest(text=text), timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}\t-\t{text}"
    best = reply.classification.predictions[0]
    return f"{best.label}\t{best.score:.3f}\t{text}"


async def main() -> None:
    texts = [line.rstrip("\n") for line in sys.stdin]
    room = asyncio.Semaphore(IN_FLIGHT)
    address = os.environ.get("VERDICT_ADDRESS", "127.0.0.1:50051")
    async with grpc.aio.insecure_channel(address) as channel:
        stub = ClassifierServiceStub(channel)
        for line in await asyncio.gather(*(classify(stub, text, room) for text in texts)):
            print(line)


asyncio.run(main())
