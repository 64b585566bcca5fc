"""NumPy arrays, pandas series and Arrow arrays, against a real server."""

import os
import unittest
from typing import Any, Callable

import numpy
import pandas
import pyarrow

from verdict_grpc import AsyncVerdictClient, VerdictClient, VerdictError
from verdict_grpc.tables import classify_arrow, classify_numpy, classify_pandas

ADDRESS = os.environ["VERDICT_ADDRESS"]

MISSING = "the text is missing"


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        self.client = VerdictClient(ADDRESS)
        self.addCleanup(self.client.close)

    def test_numpy_keeps_the_shape(self) -> None:
        texts = numpy.array([[None, "a gripping film"], ["  ", None]], dtype=object)
        found = classify_numpy(self.client, texts)
        self.assertEqual(found.shape, (2, 2))
        self.assertEqual(found["label"].tolist(), [[None, "POSITIVE"], [None, None]])
        self.assertTrue(numpy.isnan(found["score"][1, 0]))
        self.assertEqual(found["error"][0, 0], MISSING)
        self.assertIn("INVALID_ARGUMENT", found["error"][1, 0])

    def test_pandas_keeps_the_index(self) -> None:
        texts = pandas.Series(["a gripping film", float("nan"), "two hours of my life gone"], index=[7, 3, 9])
        found = classify_pandas(self.client, texts)
        self.assertEqual(list(found.index), [7, 3, 9])
        self.assertEqual(found["label"][9], "NEGATIVE")
        self.assertTrue(pandas.isna(found["label"][3]))

    def test_arrow(self) -> None:
        texts = pyarrow.chunked_array([["a gripping film", None], ["two hours of my life gone"]])
        found = classify_arrow(self.client, texts)
        self.assertEqual(found["label"].to_pylist(), ["POSITIVE", None, "NEGATIVE"])
        self.assertEqual(found.num_rows, 3)

    def test_nothing_in_nothing_out(self) -> None:
        self.assertEqual(classify_arrow(self.client, pyarrow.array([], pyarrow.string())).num_rows, 0)
        self.assertEqual(classify_numpy(self.client, numpy.array([None], dtype=object)).shape, (1,))

    def test_all_three_say_the_same_of_what_is_no_text(self) -> None:
        texts = ["a gripping film", None, "two hours of my life gone"]
        kinds: list[tuple[list[Any], Any, str]] = [
            ([b"bytes", b"secret"], "S6", "INVALID_ARGUMENT: a text must be a str, not bytes"),
            ([5, 6], numpy.int64, "INVALID_ARGUMENT: a text must be a str, not int"),
            ([0.5, 1.5], numpy.float32, "INVALID_ARGUMENT: a text must be a str, not float"),
            ([True, False], numpy.bool_, "INVALID_ARGUMENT: a text must be a str, not bool"),
            ([float("nan")], numpy.float64, MISSING),
            ([None], object, MISSING),
        ]
        for values, dtype, error in kinds:
            with self.subTest(values=values):
                expected = [error] * len(values)
                of_numpy = classify_numpy(self.client, numpy.array(values, dtype=dtype))
                self.assertEqual(of_numpy["error"].tolist(), expected)
                of_objects = classify_numpy(self.client, numpy.array(values, dtype=object))
                self.assertEqual(of_objects["error"].tolist(), expected)
                of_pandas = classify_pandas(self.client, pandas.Series(values))
                self.assertEqual(of_pandas["error"].tolist(), expected)
                of_arrow = classify_arrow(self.client, pyarrow.array(values))
                self.assertEqual(of_arrow["error"].to_pylist(), expected)
        self.assertEqual(classify_numpy(self.client, numpy.array(texts))["label"].tolist(), ["POSITIVE", None, "NEGATIVE"])

    def test_what_is_no_text_does_not_fail_its_neighbours(self) -> None:
        values = [5, "a gripping film", pandas.NA, b"bytes", "half \ud800", "two hours of my life gone", pandas.NaT]
        found = classify_numpy(self.client, numpy.array(values, dtype=object))
        labels = [None, "POSITIVE", None, None, None, "NEGATIVE", None]
        self.assertEqual(found["label"].tolist(), labels)
        self.assertEqual(found["error"][0], "INVALID_ARGUMENT: a text must be a str, not int")
        self.assertEqual(found["error"][2], MISSING)
        self.assertEqual(found["error"][3], "INVALID_ARGUMENT: a text must be a str, not bytes")
        self.assertEqual(found["error"][4], "INVALID_ARGUMENT: a text must be a str of whole characters")
        self.assertEqual(found["error"][6], MISSING)
        in_pandas = classify_pandas(self.client, pandas.Series(values, dtype=object))
        self.assertEqual(in_pandas["error"].tolist()[2:5], found["error"].tolist()[2:5])

    def test_have_one_order(self) -> None:
        with self.assertRaises(VerdictError) as raised:
            classify_numpy(self.client, numpy.array(["a"]), order="completion")  # type: ignore[call-arg]
        self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def test_tables_are_not_for_it(self) -> None:
        texts = numpy.array(["a gripping film"])
        async with AsyncVerdictClient(ADDRESS) as client:
            calls: list[Callable[[], object]] = [
                lambda: classify_numpy(client, texts),  # type: ignore[arg-type]
                lambda: classify_pandas(client, pandas.Series(texts)),  # type: ignore[arg-type]
                lambda: classify_arrow(client, pyarrow.array(texts)),  # type: ignore[arg-type]
            ]
            for call in calls:
                with self.assertRaises(VerdictError) as raised:
                    call()
                self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")


if __name__ == "__main__":
    unittest.main()
