"""Cases for test_tensor.lua, computed by NumPy: random shapes, views and broadcasts.

    python3 tensor_cases.py SEED COUNT [FILE]

Each line is a Lua table: operands as bytes (hexadecimal) and shapes, views that are taken of them, an operation, what NumPy gives.
FILE, or standard output. Without NumPy the status is 77.
"""
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)

TYPES = {"float32": np.float32, "uint8": np.uint8, "int32": np.int32}


def lua(value):
    """A value as Lua text."""
    if isinstance(value, bytes):
        return '"' + value.hex() + '"'
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ",".join("%s=%s" % (key, lua(each)) for key, each in value.items() if each is not None) + "}"
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(lua(each) for each in value) + "}"
    return repr(value) if isinstance(value, (int, float)) else repr(value.item())


def stored(array):
    array = np.atleast_1d(array)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))
    return {"dtype": str(array.dtype), "shape": list(array.shape), "bytes": little.tobytes()}


class Cases:
    def __init__(self, seed):
        self.dice = np.random.default_rng(seed)
        self.turns = {}

    def pick(self, *options):
        return options[self.dice.integers(len(options))]

    def turn(self, *options):
        """Each in its turn, so that few cases have all."""
        count = self.turns.get(options, 0)
        self.turns[options] = count + 1
        return options[count % len(options)]

    def shape(self, most=4):
        return [int(n) for n in self.dice.integers(1, 5, self.dice.integers(1, most + 1))]

    def numbers(self, shape, dtype):
        if dtype == "uint8":
            return self.dice.integers(0, 256, shape).astype(np.uint8)
        if dtype == "int32":
            return self.dice.integers(-1000, 1000, shape).astype(np.int32)
        return (self.dice.standard_normal(shape) * self.pick(1, 100)).astype(np.float32)

    def viewed(self, shape, dtype):
        """An array of that shape as a view of a larger one: what is stored, the steps to it, and the view."""
        order = [int(d) for d in self.dice.permutation(len(shape))]
        region, whole = [], []
        for d in order:
            step = int(self.pick(1, 1, 1, -1, -2, 3))
            start, spare = int(self.dice.integers(2)), int(self.dice.integers(2))
            reach = (shape[d] - 1) * abs(step)
            first, last = (start, start + reach) if step > 0 else (start + reach, start)
            whole.append(start + reach + 1 + spare)
            region.append([first + 1, last + 1, step])
        array = self.numbers(whole, dtype)
        index = tuple(np.arange(first - 1, last - 1 + (1 if step > 0 else -1), step) for first, last, step in region)
        view = array[np.ix_(*index)]
        back = [order.index(d) for d in range(len(shape))]
        steps = dict(stored(array), region=region, order=[d + 1 for d in back])
        return steps, np.transpose(view, back)

    def partner(self, shape):
        """A shape that is broadcast with another."""
        other = [1 if self.dice.random() < 0.3 else n for n in shape]
        return other[self.dice.integers(len(other)):]

    def wide(self, *arrays):
        """In the type of the result: bytes become int32."""
        real = any(array.dtype == np.float32 for array in arrays)
        return [array.astype(np.float32 if real else np.int32) for array in arrays]

    def binary(self):
        name = self.turn("add", "sub", "mul", "div", "maximum", "minimum", "lt", "le", "gt", "ge", "eq", "ne", "where")
        shape = self.shape(3)
        first, a = self.viewed(shape, self.pick(*TYPES))
        second, b = self.viewed(self.partner(shape), self.pick(*TYPES))
        if self.dice.random() < 0.5:
            first, a, second, b = second, b, first, a
        if name == "div":
            with np.errstate(all="ignore"):
                result = a.astype(np.float32) / b.astype(np.float32)
        elif name == "where":
            result = np.where(a.astype(bool), a, b)
            if np.float32 in (a.dtype, b.dtype):
                result = result.astype(np.float32)
        elif name in ("maximum", "minimum"):
            result = getattr(np, name)(a, b)
            if np.float32 in (a.dtype, b.dtype):
                result = getattr(np, name)(a.astype(np.float32), b.astype(np.float32))
        elif name in ("add", "sub", "mul"):
            long = {"sub": "subtract", "mul": "multiply"}.get(name, name)
            result = getattr(np, long)(*self.wide(a, b))
        else:
            names = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
                     "ne": "not_equal"}
            result = getattr(np, names[name])(a, b)
        return {"operation": name, "operands": [first, second], "result": stored(result), "error": 0}

    def power(self):
        shape = self.shape(3)
        first, a = self.viewed(shape, self.pick(*TYPES))
        second, b = self.viewed(self.partner(shape), "float32")
        with np.errstate(all="ignore"):
            result = np.power(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
        return {"operation": "pow", "operands": [first, second], "result": stored(result), "error": 1.2e-7}

    def unary(self):
        name = self.turn("neg", "abs", "sign", "floor", "ceil", "round", "exp", "log", "sqrt", "tanh", "sigmoid", "is_nan",
                         "is_finite")
        first, a = self.viewed(self.shape(3), self.pick(*TYPES))
        wide, = self.wide(a)
        precise = a.astype(np.float64)
        with np.errstate(all="ignore"):
            if name in ("neg", "abs", "sign", "floor", "ceil", "round"):
                result = getattr(np, {"neg": "negative"}.get(name, name))(wide).astype(wide.dtype)
            elif name == "sigmoid":
                result = (1 / (1 + np.exp(-precise))).astype(np.float32)
            elif name in ("is_nan", "is_finite"):
                result = getattr(np, name.replace("_", ""))(precise)
            else:
                result = getattr(np, name)(precise).astype(np.float32)
        exact = name not in ("exp", "log", "tanh", "sigmoid")
        return {"operation": name, "operands": [first], "result": stored(result), "error": 0 if exact else 1.2e-7}

    def reduction(self):
        name = self.turn("sum", "mean", "min", "max", "variance", "std", "norm", "any", "all", "argmin", "argmax")
        shape = self.shape(3)
        first, a = self.viewed(shape, self.pick(*TYPES))
        if name in ("any", "all"):
            a = a * 0 + a % 2 if a.dtype != np.float32 else a
            first = dict(stored(np.ascontiguousarray(a)), region=[[1, n, 1] for n in shape],
                         order=list(range(1, len(shape) + 1)))
        dimension = int(self.dice.integers(len(shape)))
        keep = bool(self.dice.integers(2)) or len(shape) == 1
        precise = a.astype(np.float64)
        how = {"axis": dimension}
        short = {"variance": "var"}.get(name, name)
        if name == "norm":
            result = np.sqrt((precise * precise).sum(**how)).astype(np.float32)
        elif name == "sum":
            result = precise.sum(**how).astype(np.float32 if a.dtype == np.float32 else np.int32)
        elif name in ("mean", "variance", "std"):
            result = getattr(np, short)(precise, **how).astype(np.float32)
        elif name in ("argmin", "argmax"):
            result = (getattr(np, name)(a, **how) + 1).astype(np.int32)
        else:
            result = getattr(np, name)(a, **how)
        if keep:
            result = np.expand_dims(result, dimension)
        exact = name in ("min", "max", "any", "all", "argmin", "argmax") or (name == "sum" and a.dtype != np.float32)
        scale = float(np.abs(precise).max()) if name in ("sum", "mean") else 0.0
        return {"operation": name, "operands": [first], "arguments": [dimension + 1, keep], "result": stored(result),
                "error": 0 if exact else 2.4e-7, "scale": scale}

    def total(self):
        """A reduction over all elements, which gives a number, or the indices of one."""
        name = self.turn("sum", "mean", "min", "max", "variance", "std", "norm", "argmin", "argmax")
        first, a = self.viewed(self.shape(3), self.pick(*TYPES))
        precise = a.astype(np.float64)
        if name in ("argmin", "argmax"):
            place = np.unravel_index(getattr(np, name)(a), a.shape)
            result = np.array([int(n) + 1 for n in place], np.int32)
        elif name == "norm":
            result = np.sqrt((precise * precise).sum())
        else:
            result = getattr(np, {"variance": "var"}.get(name, name))(precise)
        exact = name in ("min", "max", "argmin", "argmax") or (name == "sum" and a.dtype != np.float32)
        scale = float(np.abs(precise).max()) if name in ("sum", "mean") else 0.0
        if result.dtype != np.int32:
            result = result.astype(np.float32)
        return {"operation": "total_" + name, "operands": [first], "result": stored(result),
                "error": 0 if exact else 2.4e-7, "scale": scale}

    def clamp(self):
        first, a = self.viewed(self.shape(3), self.pick("float32", "int32"))
        low, high = sorted(int(n) for n in self.dice.integers(-200, 200, 2))
        return {"operation": "clamp", "operands": [first], "arguments": [low, high],
                "result": stored(np.clip(a, low, high).astype(a.dtype)), "error": 0}

    def take(self):
        shape = self.shape(3)
        first, a = self.viewed(shape, self.pick(*TYPES))
        dimension = int(self.dice.integers(len(shape)))
        positions = [int(n) for n in self.dice.integers(0, shape[dimension], self.dice.integers(1, 6))]
        return {"operation": "take", "operands": [first], "arguments": [dimension + 1, [n + 1 for n in positions]],
                "result": stored(np.take(a, positions, dimension)), "error": 0}

    def mask(self):
        """What is read by a mask, or written by it."""
        shape = self.shape(3)
        first, a = self.viewed(shape, self.pick(*TYPES))
        second, b = self.viewed(shape, "float32")
        if self.dice.random() < 0.5 and (b > 0).any():
            return {"operation": "masked", "operands": [first, second], "result": stored(a[b > 0]), "error": 0}
        result = a.copy()
        result[b > 0] = 7
        return {"operation": "mask_assign", "operands": [first, second], "result": stored(result), "error": 0}

    def assign(self):
        """Into a view, which is repeated as an operand is."""
        shape = self.shape(3)
        dtype = self.pick(*TYPES)
        first, a = self.viewed(shape, dtype)
        second, b = self.viewed(self.partner(shape), dtype)
        result = a.copy()
        result[...] = b
        return {"operation": "assign", "operands": [first, second], "result": stored(result), "error": 0}

    def concat(self):
        shape = self.shape(3)
        dimension = int(self.dice.integers(len(shape)))
        other = list(shape)
        other[dimension] = int(self.dice.integers(1, 5))
        dtype = self.pick(*TYPES)
        first, a = self.viewed(shape, dtype)
        second, b = self.viewed(other, dtype)
        return {"operation": "concat", "operands": [first, second], "arguments": [dimension + 1],
                "result": stored(np.concatenate([a, b], dimension)), "error": 0}

    def matmul(self):
        batch = self.shape(2) if self.dice.random() < 0.5 else []
        m, k, n = (int(each) for each in self.dice.integers(1, 5, 3))
        a_shape = self.pick([k], [m, k], batch + [m, k])
        b_shape = self.pick([k], [k, n], (self.partner(batch) if batch else []) + [k, n])
        first, a = self.viewed(a_shape, "float32")
        second, b = self.viewed(b_shape, "float32")
        result = np.matmul(a.astype(np.float64), b.astype(np.float64))
        scale = np.abs(a).max() * np.abs(b).max() * k
        return {"operation": "matmul", "operands": [first, second], "result": stored(result.astype(np.float32)),
                "error": 0, "scale": float(scale) * 2}

    def solve(self):
        n = int(self.dice.integers(1, 6))
        first, a = self.viewed([n, n], "float32")
        second, b = self.viewed(self.pick([n], [n, 3]), "float32")
        result = np.linalg.solve(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
        return {"operation": "solve", "operands": [first, second], "result": stored(result), "error": 1e-6,
                "scale": float(np.abs(result).max())}

    def svd(self):
        first, a = self.viewed([int(n) for n in self.dice.integers(1, 5, 2)], "float32")
        result = np.linalg.svd(a.astype(np.float64), compute_uv=False).astype(np.float32)
        return {"operation": "singular_values", "operands": [first], "result": stored(result), "error": 2.4e-7,
                "scale": float(result.max())}

    def factors(self):
        """Of a matrix by singular values: together they are the matrix again, and each has orthonormal columns."""
        first, a = self.viewed([int(n) for n in self.dice.integers(1, 5, 2)], "float32")
        return {"operation": self.turn("svd_product", "svd_left", "svd_right"), "operands": [first],
                "result": stored(a), "error": 1e-6, "scale": float(np.abs(a).max()) * 4}

    def next(self, number):
        makers = [self.binary, self.unary, self.reduction, self.binary, self.matmul, self.reduction, self.solve, self.svd,
                  self.power, self.total, self.clamp, self.take, self.mask, self.assign, self.concat, self.factors]
        return makers[number % len(makers)]()


def main():
    cases = Cases(int(sys.argv[1]))
    out = open(sys.argv[3], "w") if len(sys.argv) > 3 else sys.stdout
    out.write("-- By tensor_cases.py %s %s, with NumPy %s.\nreturn {\n" % (sys.argv[1], sys.argv[2], np.__version__))
    for number in range(int(sys.argv[2])):
        out.write(lua(cases.next(number)) + ",\n")
    out.write("}\n")


main()
