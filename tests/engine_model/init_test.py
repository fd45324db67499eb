"""Models that init writes, read by a few lines that know nothing of ours: the layout as safetensors and Hugging Face
have it, the numbers as promised, the same for the same seed; and what is refused."""

import array
import json
import math
import os
import struct
import subprocess
import tempfile
import unittest

ENGINE = os.environ["BINNACLE_ENGINE"]
DENORMAL_BELOW = 2.0 ** -126


def init(*arguments):
    return subprocess.run([ENGINE, "init", *arguments], capture_output=True, text=True, timeout=60)


def read_model(folder):
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        return json.load(file), metadata, header, data[8 + length:]


def numbers(entry, data):
    begin, end = entry["data_offsets"]
    if entry["dtype"] == "F32":
        return array.array("f", data[begin:end])
    halves = array.array("H", data[begin:end])
    return array.array("f", b"".join(struct.pack("<HH", 0, half) for half in halves))


class InitTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def folder(self, name):
        return os.path.join(self.place.name, name)

    def test_dense_model_is_a_llama(self):
        done = init("--out", self.folder("a"), "--preset", "tiny")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("230208 parameters in fp32", done.stdout)
        config, metadata, header, data = read_model(self.folder("a"))
        self.assertEqual(config["architectures"], ["LlamaForCausalLM"])
        self.assertEqual(metadata["format"], "pt")
        self.assertEqual(header["model.layers.3.mlp.down_proj.weight"]["shape"], [64, 192])
        self.assertEqual(header["lm_head.weight"]["shape"], [258, 64])
        self.assertEqual(sum(math.prod(entry["shape"]) for entry in header.values()), 230208)
        for name, entry in header.items():
            values = numbers(entry, data)
            self.assertFalse([v for v in values if 0 < abs(v) < DENORMAL_BELOW], name)
            deviation = math.sqrt(sum(v * v for v in values) / len(values))
            residual = name.endswith(("o_proj.weight", "down_proj.weight"))
            expected = 1 if "norm" in name else 0.02 / math.sqrt(8) if residual else 0.02
            self.assertAlmostEqual(deviation / expected, 1, delta=0.05, msg=name)

    def test_experts_make_a_mixtral(self):
        done = init("--out", self.folder("a"), "--preset", "tiny", "--layers", "2", "--experts", "4",
                    "--experts-per-token", "2", "--type", "bf16", "--name", "four")
        self.assertEqual(done.returncode, 0, done.stderr)
        config, _, header, data = read_model(self.folder("a"))
        self.assertEqual(config["architectures"], ["MixtralForCausalLM"])
        self.assertEqual((config["num_local_experts"], config["num_experts_per_tok"]), (4, 2))
        self.assertEqual(config["model_name"], "four")
        entry = header["model.layers.1.block_sparse_moe.experts.3.w2.weight"]
        self.assertEqual((entry["dtype"], entry["shape"]), ("BF16", [64, 192]))
        self.assertLess(max(abs(v) for v in numbers(entry, data)), 0.05)

    def test_seed_decides_the_bytes(self):
        for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
            self.assertEqual(init("--out", self.folder(name), "--preset", "tiny", "--seed", seed).returncode, 0)
        a, b, c = (read_model(self.folder(name))[3] for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_a_model_that_is_there_stays(self):
        self.assertEqual(init("--out", self.folder("a"), "--preset", "tiny").returncode, 0)
        before = read_model(self.folder("a"))[3]
        refused = init("--out", self.folder("a"), "--preset", "tiny", "--seed", "2")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("holds a model already; --replace", refused.stderr)
        self.assertEqual(read_model(self.folder("a"))[3], before)
        self.assertEqual(init("--out", self.folder("a"), "--preset", "tiny", "--seed", "2", "--replace").returncode, 0)
        self.assertNotEqual(read_model(self.folder("a"))[3], before)
        self.assertEqual(sorted(os.listdir(self.folder("a"))), ["config.json", "model.safetensors"])

    def test_bad_values_are_named(self):
        for arguments, message in (
                (["--preset", "huge"], 'preset "huge" is not known (known: tiny, demo, 1b)'),
                (["--heads", "7", "--kv-heads", "2"], "num_key_value_heads is 2: must divide num_attention_heads (7)"),
                (["--layers", "0"], "num_hidden_layers is 0: must be 1 to 1024"),
                (["--experts", "2", "--experts-per-token", "3"], "num_experts_per_tok is 3: must be 1 to 2"),
                (["--hidden", "100000", "--heads", "100", "--kv-heads", "4", "--layers", "1000"], "bytes are free, the model needs")):
            refused = init("--out", self.folder("x"), *arguments)
            self.assertEqual(refused.returncode, 1, arguments)
            self.assertIn(message, refused.stderr)
            self.assertFalse(os.path.exists(self.folder("x") + "/config.json"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
