# SPDX-License-Identifier: MIT
"""The Python package, on test plugins: tests/test_python.sh runs it.

    test_python.py PACKAGE NETWORKS [ONNX_FILE]

PACKAGE is its folder of sources, for the stubs.  With an ONNX file, that too is run, on cpu."""
import ast
import inspect
import json
import os
import signal
import sys
import threading
import time
import unittest

import numpy as np

import anole

package, networks = sys.argv[1:3]
onnx_file = sys.argv[3] if len(sys.argv) > 3 else None
tiny = os.path.join(networks, "tiny.json")


def load_tiny(**options):
    return anole.load(tiny, device="good", random_weights=True, **options)


class Stubs(unittest.TestCase):
    """__init__.pyi says what there is."""

    def check_function(self, stub, function):
        arguments = stub.args
        names = [argument.arg for argument in arguments.args + arguments.kwonlyargs]
        if stub.name == "__exit__":
            return
        self.assertEqual(names, list(inspect.signature(function).parameters), stub.name)

    def check_class(self, stub, real):
        fields = [item.target.id for item in stub.body if isinstance(item, ast.AnnAssign)]
        if hasattr(real, "__dataclass_fields__"):
            self.assertEqual(fields, list(real.__dataclass_fields__), stub.name)
        for item in stub.body:
            if isinstance(item, ast.FunctionDef):
                member = getattr(real, item.name)
                if isinstance(member, property):
                    member = member.fget
                self.check_function(item, member)
            if isinstance(item, ast.Assign):
                self.assertIn(item.targets[0].id, real.__members__)

    def test_stubs_are_of_this_package(self):
        with open(os.path.join(package, "__init__.pyi"), encoding="utf-8") as file:
            stubs = ast.parse(file.read())
        seen = set()
        for stub in stubs.body:
            if isinstance(stub, (ast.FunctionDef, ast.ClassDef)):
                real = getattr(anole, stub.name)
                seen.add(stub.name)
                check = self.check_class if isinstance(stub, ast.ClassDef) else self.check_function
                check(stub, real)
        self.assertEqual(seen, set(anole.__all__))


class Running(unittest.TestCase):
    def setUp(self):
        self.x = np.random.default_rng(1).normal(size=(1, 16, 16, 8)).astype(np.float32)

    def test_devices_are_listed(self):
        found = {device.id: device for device in anole.devices()}
        self.assertEqual(found["good:0"].backend, "good")
        self.assertTrue(found["simulated:0"].simulated)
        self.assertEqual(found["good:0"].properties["answer"], 42)

    def test_run_gives_arrays_by_name(self):
        with load_tiny() as model:
            self.assertEqual([tensor.name for tensor in model.inputs], ["data"])
            self.assertEqual(model.inputs[0].shape, self.x.shape)
            self.assertEqual(model.inputs[0].dtype, np.float32)
            outputs = model.run({"data": self.x})
            self.assertEqual(list(outputs), ["prob"])
            self.assertAlmostEqual(float(outputs["prob"].sum()), 1, places=5)
            self.assertEqual(outputs["prob"].shape, model.outputs[0].shape)
            reversed_view = self.x[:, ::-1][:, ::-1]  # not contiguous at first
            np.testing.assert_array_equal(model.run({"data": reversed_view})["prob"], outputs["prob"])
            np.testing.assert_array_equal(model.run({"data": self.x.tolist()})["prob"], outputs["prob"])
            self.assertEqual(model.measure({"data": self.x}, repeat=3).runs, 3)
            self.assertEqual(model.info["steps"], len(model.steps))
            self.assertIn("conv2d", {step.op for step in model.steps})
            self.assertIn("tiny", repr(model))
        with self.assertRaisesRegex(ValueError, "closed"):
            model.run({"data": self.x})

    def test_arrays_in_the_model_s_memory(self):
        model = load_tiny()
        expected = model.run({"data": self.x})["prob"]
        model.run({"data": 0 * self.x})
        view = model.input("data")
        view[:] = self.x
        found = model.run(copy=False)["prob"]
        np.testing.assert_array_equal(found, expected)
        self.assertFalse(found.flags.writeable)
        model.close()
        del model
        np.testing.assert_array_equal(found, expected)  # it keeps the model alive
        del found, view

    def test_wrong_inputs_are_named(self):
        model = load_tiny()
        with self.assertRaisesRegex(KeyError, 'input \\\\?"data\\\\?" is missing.*float32'):
            model.run({})
        with self.assertRaisesRegex(KeyError, "no input .*x.*expected .*data"):
            model.run({"x": self.x})
        with self.assertRaisesRegex(ValueError, "expected elements of float32, found float64"):
            model.run({"data": self.x.astype(np.float64)})
        with self.assertRaisesRegex(ValueError, r"expected shape \(1, 16, 16, 8\), found \(16, 8\)"):
            model.run({"data": self.x[0, 0]})

    def test_failures_have_a_status(self):
        with self.assertRaises(anole.Error) as caught:
            anole.load("/nowhere.onnx", device="good")
        self.assertIs(caught.exception.status, anole.Status.ERR_INPUT)
        self.assertIn("/nowhere.onnx", str(caught.exception))
        with self.assertRaises(anole.Error) as caught:
            load_tiny(threads=2, tuned=tiny)
        self.assertIs(caught.exception.status, anole.Status.ERR_INPUT)
        with self.assertRaises(anole.Error) as caught:
            anole.tune(tiny, device="nothing")
        self.assertIs(caught.exception.status, anole.Status.ERR_NO_DEVICE)

    def test_export_refuses_what_the_host_does(self):
        with load_tiny() as model:
            with self.assertRaisesRegex(anole.Error, "the host computes it") as caught:
                model.export("refused")
        self.assertIs(caught.exception.status, anole.Status.ERR_INPUT)
        self.assertFalse(os.path.exists("refused"))

    def test_models_run_in_threads_at_once(self):
        results = {}

        def work(number):
            with load_tiny() as model:
                results[number] = [
                    model.run({"data": self.x * number})["prob"].tobytes() for _ in range(5)
                ]

        threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([len(set(results[number])) for number in (1, 2, 3)], [1, 1, 1])
        self.assertEqual(len({results[number][0] for number in (1, 2, 3)}), 3)


class Tuning(unittest.TestCase):
    def test_tune_shows_progress_and_writes(self):
        seen = []
        results = anole.tune(
            tiny, device="simulated", trials=20, lock="tuned.json", progress=seen.append
        )
        self.assertTrue(all(result.found for result in results))
        self.assertIn("tile", results[0].knobs)
        self.assertGreater(results[0].seconds, 0)
        self.assertEqual({one.event for one in seen} - {"tick"}, {"phase", "trial"})
        self.assertGreaterEqual(seen[-1].trials, 1)
        self.assertTrue(os.path.exists("tuned.json"))

    def test_tune_says_what_runs_in_place(self):
        results = anole.tune(tiny, device="good", trials=12, lock="placed.json")
        whole = results.in_place
        self.assertIsInstance(whole, anole.InPlace)
        with open("placed.json", encoding="utf-8") as file:
            device = json.load(file)["devices"][0]
        self.assertTrue(whole.ran, whole.problem)
        locked = device["in_place"]
        for name in ("seconds", "low", "high", "default_seconds", "speedup"):
            self.assertAlmostEqual(getattr(whole, name) / locked[name], 1, 5, name)
        self.assertEqual(
            (whole.steps, whole.steps_tuned, whole.rounds, whole.disturbed),
            (locked["steps"], locked["steps_tuned"], locked["rounds"],
             locked.get("disturbed", False)),
        )
        tasks = {task["task"]: task for task in device["tasks"]}
        for result in results:
            task = tasks[result.key]
            self.assertEqual(result.disturbed, task.get("disturbed", False))
            self.assertEqual(result.in_place_disturbed, task.get("in_place_disturbed", False))
            self.assertAlmostEqual(result.crowding, task.get("crowding", 0), 5)
            for name in ("in_place", "alone_seconds", "alone_in_place"):
                value = getattr(result, name if "seconds" in name else name + "_seconds")
                self.assertEqual(value != value, name not in task, name)
                if name in task:
                    self.assertAlmostEqual(value / task[name], 1, 5, name)
        simulated = anole.tune(tiny, device="simulated", trials=20).in_place
        self.assertFalse(simulated.ran)
        self.assertTrue(simulated.problem)

    def test_what_a_callback_raises_comes_out(self):
        def refuse(progress):
            raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            anole.tune(tiny, device="simulated", trials=5000, progress=refuse)

    def test_ctrl_c_ends_it(self):
        def interrupt(progress):
            if progress.event == "trial" and not sent:
                sent.append(1)
                os.kill(os.getpid(), signal.SIGINT)

        sent = []
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            anole.tune(tiny, device="good", time=600, history="history", progress=interrupt)
        self.assertLess(time.monotonic() - start, 300)
        self.assertTrue(os.path.getsize("history") > 0)


@unittest.skipIf(onnx_file is None, "the backend cpu was not built")
class OnCpu(unittest.TestCase):
    def test_run_an_onnx_file_in_place(self):
        arrays = np.load(os.path.splitext(onnx_file)[0] + ".npz")
        model = anole.load(onnx_file, device="cpu", threads=1, shapes={"x": arrays["x"].shape})
        view = model.input("x")
        view[:] = arrays["x"]
        found = model.run(copy=False)["y"]
        error = np.abs(found - arrays["y"]).max() / np.abs(arrays["y"]).max()
        self.assertLess(error, 2e-4)
        del found, view
        count = model.export("exported")
        self.assertEqual(count, len(os.listdir("exported/kernels")))
        self.assertTrue(os.path.exists("exported/network.c"))

    def test_known_inputs_are_built_in(self):
        path = os.path.join(os.path.dirname(onnx_file), "sized.onnx")
        arrays = np.load(os.path.splitext(path)[0] + ".npz")
        with self.assertRaises(anole.Error):
            anole.load(path, device="cpu", batch=2)
        with self.assertRaisesRegex(ValueError, "elements of complex128"):
            anole.load(path, device="cpu", known={"shape": 1j})
        given = {"x": arrays["in_0"], "shape": arrays["in_1"].astype(np.int32)}
        model = anole.load(path, device="cpu", threads=1, known=given)
        self.assertEqual([tensor.name for tensor in model.inputs], ["x", "z"])
        found = model.run({"x": arrays["in_0"], "z": arrays["in_2"]})
        self.assertEqual(found["y"].shape, arrays["out_0"].shape)
        np.testing.assert_allclose(found["y"], arrays["out_0"], rtol=1e-5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
