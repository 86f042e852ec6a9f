"""The closed forms of docs/theory, derived again by sympy from definitions: metrics, Gaussian integrals and Taylor expansions.

Nothing here calls Calor: its rows measure the same forms, so that a slip would have to be made twice, in two ways.
"""
import itertools

import pytest

sympy = pytest.importorskip("sympy")
from sympy import Function, Matrix, Rational, cos, diff, exp, eye, integrate, log, oo, pi, series, simplify, sin, sqrt, symbols  # noqa: E402


def laplace_beltrami(metric, coordinates, f):
    """div grad from the definition: |g|^(-1/2) d_i (|g|^(1/2) g^ij d_j f)."""
    inverse, root = metric.inv(), sqrt(metric.det())
    n = len(coordinates)
    return sum(diff(root * inverse[i, j] * diff(f, coordinates[j]), coordinates[i]) for i in range(n) for j in range(n)) / root


def pairing(metric, coordinates, a, b):
    inverse = metric.inv()
    return sum(inverse[i, j] * diff(a, x) * diff(b, y) for (i, x), (j, y) in itertools.product(enumerate(coordinates), repeat=2))


def gaussian_mean(polynomial, variables, covariance):
    """E of a polynomial under a centred normal density, by Wick: exp(1/2 sum C_ij d_i d_j) at 0."""
    total, term, k = 0, sympy.expand(polynomial), 0
    while term != 0:
        total += term.subs({v: 0 for v in variables})
        k += 1
        term = sympy.expand(sum(covariance[i, j] * diff(term, a, b) for (i, a), (j, b) in itertools.product(enumerate(variables), repeat=2)) / (2 * k))
    return total


# ---- drift and diffusion ----

@pytest.mark.parametrize("alpha", [0, Rational(1, 2), 1])
def test_drift_has_the_factor_2_1_minus_alpha(alpha):
    """One dimension, x = 0, y = sqrt(eps) z: the layer's first-order term is h'' / 2 + (1 - alpha) (log p)' h'."""
    z, e = symbols("z e")  # e = sqrt(eps)
    p0, p1, p2, p3, h1, h2, h3 = symbols("p0 p1 p2 p3 h1 h2 h3")
    y = e * z
    p = p0 + p1 * y + p2 * y**2 / 2 + p3 * y**3 / 6
    h = h1 * y + h2 * y**2 / 2 + h3 * y**3 / 6  # h(0) = 0
    q = p + e**2 * (p2 + p3 * y) / 2  # the degree, the density smoothed by the kernel, up to a factor
    weight = series(p / q**alpha, e, 0, 4).removeO()
    mean = lambda f: gaussian_mean(series(f, e, 0, 4).removeO(), [z], eye(1))
    change = series(mean(weight * h) / mean(weight), e, 0, 4).removeO()
    assert simplify(change.coeff(e, 2) - (h2 / 2 + (1 - alpha) * p1 / p0 * h1)) == 0
    assert simplify(change.coeff(e, 1)) == 0 and simplify(change.coeff(e, 3)) == 0


def test_gaussian_layer_is_ornstein_uhlenbeck_exactly():
    """p = N(0, 1): a row is the normal density of mean x / (1 + eps) and variance eps / (1 + eps)."""
    x, y, eps = symbols("x y epsilon", positive=True)
    row = exp(-((x - y) ** 2) / (2 * eps) - y**2 / 2)
    total = integrate(row, (y, -oo, oo))
    mean, variance = x / (1 + eps), eps / (1 + eps)
    assert simplify(integrate(row * y, (y, -oo, oo)) / total - mean) == 0
    assert simplify(integrate(row * y**2, (y, -oo, oo)) / total - mean**2 - variance) == 0
    for h in (x, x**2 - Rational(1, 2), x**3 + x):
        layer = gaussian_mean(h.subs(x, mean + y), [y], Matrix([[variance]]))
        rate = sympy.limit((layer - h) / (eps / 2), eps, 0)
        assert simplify(rate - (diff(h, x, 2) - 2 * x * diff(h, x))) == 0
    # Hermite eigenfunctions: -2k.
    assert simplify(diff(x**2 - Rational(1, 2), x, 2) - 2 * x * diff(x**2, x) + 4 * (x**2 - Rational(1, 2))) == 0


def test_laplacian_of_an_embedded_ellipsoid():
    """tr F'' - n'F''n - (div n) dF/dn on the ellipsoid is its Laplace-Beltrami operator; the drift is the tangential product."""
    u, v = symbols("u v")
    a = [Rational(1), Rational(6, 5), Rational(9, 10)]
    x = Matrix(symbols("x0:3"))
    F = x[0] + x[1] / 2 - Rational(3, 5) * x[2] + Rational(2, 5) * x[0] * x[2]
    g = log(1 + Rational(2, 5) * x[2] / a[2])
    place = {x[0]: a[0] * sin(u) * cos(v), x[1]: a[1] * sin(u) * sin(v), x[2]: a[2] * cos(u)}
    position = x.subs(place)
    jacobian = position.jacobian([u, v])
    metric = jacobian.T * jacobian
    B = sympy.diag(*[1 / c**2 for c in a])
    size = sqrt((B * x).dot(B * x))
    normal, slope = B * x / size, Matrix([diff(F, c) for c in x])
    curvature = B.trace() / size - ((B * x).T * B * (B * x))[0] / size**3
    embedded = sympy.hessian(F, list(x)).trace() - (normal.T * sympy.hessian(F, list(x)) * normal)[0] - curvature * slope.dot(normal)
    density = Matrix([diff(g, c) for c in x])
    product = density.dot(slope - slope.dot(normal) * normal)
    intrinsic, inner = laplace_beltrami(metric, [u, v], F.subs(place)), pairing(metric, [u, v], g.subs(place), F.subs(place))
    for at in ({u: Rational(7, 10), v: Rational(2)}, {u: Rational(21, 10), v: Rational(-1, 3)}):
        assert abs(sympy.N((intrinsic - embedded.subs(place)).subs(at), 40)) < 1e-30
        assert abs(sympy.N((inner - product.subs(place)).subs(at), 40)) < 1e-30
    divergence = sum(diff(normal[i], x[i]) for i in range(3))
    assert simplify(divergence - curvature) == 0


def test_torus():
    a, b, c = symbols("a b c")
    h, g = sin(a) + cos(a + b), log((1 + c * cos(a)) * (1 + c * cos(b)))
    position = Matrix([cos(a), sin(a), cos(b), sin(b)])
    metric = simplify(position.jacobian([a, b]).T * position.jacobian([a, b]))
    assert metric == eye(2)
    assert simplify(laplace_beltrami(metric, [a, b], h) - (-sin(a) - 2 * cos(a + b))) == 0
    written = -c * sin(a) / (1 + c * cos(a)) * (cos(a) - sin(a + b)) + c * sin(b) / (1 + c * cos(b)) * sin(a + b)
    assert simplify(pairing(metric, [a, b], g, h) - written) == 0


# ---- heat ----

@pytest.mark.parametrize("n", [1, 3, 4])
def test_conformal_metric_and_capacity(n):
    """Lap + 2 <grad log p, grad> = p^(4/(n-2)) Lap of p^(4/(n-2)) g, in flat coordinates with p and h any functions."""
    x = symbols(f"x0:{n}")
    p, h = Function("p", positive=True)(*x), Function("h")(*x)
    flat = eye(n)
    flow = laplace_beltrami(flat, x, h) + 2 * pairing(flat, x, log(p), h)
    factor = p ** Rational(4, n - 2)
    inverse, root = 1 / factor, factor ** Rational(n, 2)  # of the conformal metric and of its determinant
    conformal = sum(diff(root * inverse * diff(h, c), c) for c in x) / root
    assert simplify(sympy.powsimp(sympy.expand(flow - factor * conformal), force=True)) == 0
    assert simplify(sympy.powsimp(sympy.expand(flow - conformal / factor), force=True)) != 0  # capacity inverted


@pytest.mark.parametrize("n", [1, 2, 3])
def test_divergence_form_in_every_dimension(n):
    x = symbols(f"x0:{n}")
    p, h = Function("p", positive=True)(*x), Function("h")(*x)
    flow = sum(diff(h, c, 2) + 2 * diff(log(p), c) * diff(h, c) for c in x)
    assert simplify(flow - sum(diff(p**2 * diff(h, c), c) for c in x) / p**2) == 0


def test_metric_multiplied_by_m_squared():
    u, v, m = symbols("u v m", positive=True)
    metric, h = sympy.diag(1, sin(u) ** 2), sin(u) * cos(v)
    assert simplify(laplace_beltrami(m**2 * metric, [u, v], h) - laplace_beltrami(metric, [u, v], h) / m**2) == 0


# ---- general scores ----

@pytest.mark.parametrize("n", [1, 2])
def test_drift_of_a_general_score(n):
    """softmax(-f / (2 eps)) around a minimiser, expanded: y = e z with the Gaussian exp(-z'Cz / 4), e = sqrt(eps)."""
    z, e = symbols(f"z0:{n}"), symbols("e")
    index = range(n)
    name = lambda letter, *at: symbols(letter + "".join(str(i) for i in sorted(at)))
    C = Matrix(n, n, lambda i, j: name("c", i, j))
    y = [e * c for c in z]
    third = sum(name("d", a, b, c) * y[a] * y[b] * y[c] for a in index for b in index for c in index) / 6
    fourth = sum(name("q", a, b, c, d) * y[a] * y[b] * y[c] * y[d] for a in index for b in index for c in index for d in index) / 24
    # exp(-(f - f*)/(2 eps)) over its Gaussian part, to order eps.
    u = sympy.expand((third + fourth) / (2 * e**2))
    weight = 1 - u + u**2 / 2
    g1, H1 = [name("g", i) for i in index], [name("h", i) for i in index]  # grad log p, grad H
    density = 1 + sum(g1[i] * y[i] for i in index) + sum(name("r", i, j) * y[i] * y[j] for i in index for j in index) / 2
    H = sum(H1[i] * y[i] for i in index) + sum(name("k", i, j) * y[i] * y[j] for i in index for j in index) / 2
    order = lambda f, most: sum(sympy.expand(f).coeff(e, k) * e**k for k in range(most + 1))
    covariance = 2 * C.inv()
    mean = lambda f: gaussian_mean(f, list(z), covariance)
    numerator = mean(order(order(weight * density, 2) * H, 2))
    change = sympy.together(numerator.coeff(e, 2)) if n == 1 else numerator.coeff(e, 2)
    inverse = C.inv()
    hess = Matrix(n, n, lambda i, j: name("k", i, j))
    d_contracted = [sum(name("d", a, b, c) * inverse[a, b] for a in index for b in index) for c in index]
    closed = sum(inverse[i, j] * hess[i, j] for i in index for j in index) + sum(
        H1[i] * inverse[i, j] * (2 * g1[j] - d_contracted[j]) for i in index for j in index)
    assert simplify(change - closed) == 0  # H vanishes at the minimiser: the normaliser, 1 + O(eps), enters later


def test_dot_products_on_a_sphere():
    """f = -q.y on |y| = r: in normal coordinates around y* = r q / |q| the Hessian is |q| / r and odd derivatives vanish."""
    r, q, s = symbols("r q s", positive=True)
    # The geodesic from y* in a tangential direction: cos(s/r) y* + r sin(s/r) e, e orthogonal to q.
    f = -q * r * cos(s / r)
    assert diff(f, s).subs(s, 0) == 0 and diff(f, s, 3).subs(s, 0) == 0
    assert simplify(diff(f, s, 2).subs(s, 0) - q / r) == 0
    # T5 with C = (|q|/r) I and d = 0 is eps r / |q| (Lap H + 2 <grad log p, grad H>): for f = d^2, C = 2 I, it is T3's eps / 2.
    C = symbols("C")
    assert (1 / C).subs(C, 2) == Rational(1, 2) and (1 / C).subs(C, q / r) == r / q


def test_weight_of_a_minimiser_set():
    """m0 is the integral of exp(-v'Cv/4) across the set; for f = (c - y'By)^2 the curvature across it is 8 |By|^2."""
    v, C, B1, B2, y1, y2 = symbols("v C B1 B2 y1 y2", positive=True)
    m0 = integrate(exp(-C * v**2 / 4), (v, -oo, oo))
    assert simplify(m0 - sqrt(4 * pi / C)) == 0
    size = sqrt((B1 * y1) ** 2 + (B2 * y2) ** 2)
    step = [y1 + v * B1 * y1 / size, y2 + v * B2 * y2 / size]
    f = (B1 * y1**2 + B2 * y2**2 - B1 * step[0] ** 2 - B2 * step[1] ** 2) ** 2
    curvature = simplify(diff(f, v, 2).subs(v, 0))
    assert simplify(curvature - 8 * size**2) == 0
    assert simplify(m0.subs(C, curvature) * size - sqrt(pi / 2)) == 0  # m0 ~ 1 / |By|
