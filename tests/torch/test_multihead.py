"""calor.nn.MultiheadAttention against torch's, and models whose attention is replaced."""
import copy
import math
import pickle

import pytest
import torch

from operators import calor, draw

Ours, Theirs = calor.nn.MultiheadAttention, torch.nn.MultiheadAttention
PADDED = torch.zeros(3, 9, dtype=torch.bool)
PADDED[1, 5:] = True
HIDDEN = torch.rand(7, 9, generator=torch.Generator().manual_seed(1)) > 0.8
HIDDEN[:, 0] = False


def as_numbers(mask):
    return torch.zeros(mask.shape).masked_fill(mask, -math.inf)


MASKS = {
    "none": {},
    "padding": dict(key_padding_mask=PADDED),
    "mask": dict(attn_mask=HIDDEN),
    "both": dict(key_padding_mask=PADDED, attn_mask=HIDDEN),
    "of heads": dict(attn_mask=HIDDEN.expand(12, 7, 9)),
    "numbers": dict(key_padding_mask=as_numbers(PADDED), attn_mask=as_numbers(HIDDEN)),
    "other numbers": dict(attn_mask=draw(7, 9, dtype=torch.float)),
}
LAYERS = {"plain": {}, "no bias": dict(bias=False), "kdim": dict(kdim=6, vdim=5), "bias_kv": dict(add_bias_kv=True), "zero": dict(add_bias_kv=True, add_zero_attn=True)}


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_dot_is_torch_s_layer(layer, masks, batch_first):
    options = LAYERS[layer]
    theirs, ours = (kind(16, 4, batch_first=batch_first, **options) for kind in (Theirs, Ours))
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    inputs = [draw(3, rows, width, dtype=torch.float) for rows, width in ((7, 16), (9, options.get("kdim", 16)), (9, options.get("vdim", 16)))]
    if not batch_first:
        inputs = [x.transpose(0, 1) for x in inputs]
    for more in (dict(need_weights=False), dict(), dict(average_attn_weights=False)):
        (mine, weights), (peer, peer_weights) = ours(*inputs, **MASKS[masks], **more), theirs(*inputs, **MASKS[masks], **more)
        torch.testing.assert_close(mine, peer)
        assert (weights is None) == (peer_weights is None)
        if weights is not None:
            torch.testing.assert_close(weights, peer_weights)


@pytest.mark.parametrize("score", ["l2", "metric"])
@pytest.mark.parametrize("temperature", ["fixed", "learn", 3.0])
def test_with_weights_and_without_are_one_formula(score, temperature):
    torch.manual_seed(0)
    layer = Ours(16, 4, batch_first=True, score=score, temperature=temperature).double()
    x, memory = draw(3, 7, 16), draw(3, 9, 16)
    streamed, weights = layer(x, memory, memory, need_weights=False, key_padding_mask=PADDED, attn_mask=HIDDEN)[0], None
    written, weights = layer(x, memory, memory, key_padding_mask=PADDED, attn_mask=HIDDEN, average_attn_weights=False)
    torch.testing.assert_close(streamed, written)
    projection, bias = layer.in_proj_weight.split(16), layer.in_proj_bias.split(16)
    side = (lambda z, i: layer.phi(z @ projection[0].T + bias[0])) if score == "metric" else (lambda z, i: z @ projection[i].T + bias[i])
    heads = lambda z: z.unflatten(-1, (4, 4)).transpose(1, 2)
    q, k = heads(side(x, 0)), heads(side(memory, 1))
    distances = (q.unsqueeze(3) - k.unsqueeze(2)).square().sum(-1) / (3.0 if temperature == 3.0 else 2.0)
    expected = (-distances).masked_fill(HIDDEN | PADDED[:, None, None], -math.inf).softmax(-1)
    torch.testing.assert_close(weights, expected)
    streamed.sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
    assert ("log_temperature" in layer.state_dict()) == (temperature == "learn")


def test_metric_loads_torch_s_state_and_its_own():
    theirs, metric = Theirs(16, 4), Ours(16, 4, score="metric")
    before = metric.phi.expand.weight.clone()
    metric.load_state_dict(theirs.state_dict())
    assert torch.equal(metric.phi.expand.weight, before) and torch.equal(metric.in_proj_weight, theirs.in_proj_weight)
    other = Ours(16, 4, score="metric")
    other.load_state_dict(metric.state_dict())
    assert torch.equal(other.phi.expand.weight, before)
    spoilt = {name: value for name, value in metric.state_dict().items() if name != "phi.contract.bias"}
    with pytest.raises(RuntimeError, match="phi.contract.bias"):
        other.load_state_dict(spoilt)


def transformer():
    torch.manual_seed(0)
    return torch.nn.Transformer(16, 4, 2, 2, 32, dropout=0.0, batch_first=True)


def test_replaced_models_compute_the_same_with_dot():
    model = transformer()
    source, target = draw(2, 5, 16, dtype=torch.float), draw(2, 6, 16, dtype=torch.float)
    causal = model.generate_square_subsequent_mask(6)
    padded = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    run = lambda: model(source, target, tgt_mask=causal, tgt_is_causal=True, src_key_padding_mask=padded, memory_key_padding_mask=padded)
    before = run()
    kept = list(model.parameters())
    names = calor.nn.replace_attention(model, "dot")
    assert len(names) == 6 and names[0] == "encoder.layers.0.self_attn" and all(isinstance(model.get_submodule(name), Ours) for name in names)
    assert {id(parameter) for parameter in kept} == {id(parameter) for parameter in model.parameters()}
    torch.testing.assert_close(run(), before)
    model.eval()
    with torch.no_grad():  # where torch's encoder layers would go past the layer's forward
        torch.testing.assert_close(run(), before)


def test_replaced_models_learn_a_metric():
    model = transformer().eval()
    source = draw(2, 5, 16, dtype=torch.float)
    with torch.no_grad():
        before = model.encoder(source)
        calor.nn.replace_attention(model, "metric", only=lambda name, module: name.startswith("encoder"))
        first = model.encoder(source)
        assert not torch.allclose(first, before)  # not torch's fused inference, which knows products only
    l2 = copy.deepcopy(model)
    for layer in l2.encoder.layers:  # phi starts as the identity: the distance of one projection
        weight, bias = (parameter.detach() for parameter in (layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias))
        weight[16:32], bias[16:32] = weight[:16].clone(), bias[:16].clone()
    calor.nn.replace_attention(l2, "l2", only=lambda name, module: name.startswith("encoder"))
    with torch.no_grad():
        torch.testing.assert_close(l2.encoder(source), first)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    model.train()
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = (model.encoder(source) - source.flip(1)).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0] and all(parameter.grad is not None for parameter in model.encoder.parameters())
    again = pickle.loads(pickle.dumps(model))
    torch.testing.assert_close(again.encoder(source), model.encoder(source))


def test_one_module_in_two_places_stays_one():
    shared = Theirs(8, 2)
    model = torch.nn.ModuleDict({"a": shared, "b": torch.nn.Sequential(shared)})
    calor.nn.replace_attention(model, "l2")
    assert model["a"] is model["b"][0] and isinstance(model["a"], Ours)


@pytest.mark.parametrize(
    "fault, text, call",
    [
        (ValueError, "expected score", lambda: Ours(8, 2, score="cosine")),
        (ValueError, "expected temperature", lambda: Ours(8, 2, score="l2", temperature="warm")),
        (ValueError, "expected temperature", lambda: Ours(8, 2, score="l2", temperature=-1)),
        (ValueError, "expected keys of 8 features", lambda: Ours(8, 2, score="metric", kdim=4)),
        (ValueError, "expected hidden with", lambda: Ours(8, 2, score="l2", hidden=4)),
        (ValueError, "of 3 dimensions", lambda: Ours(8, 2)(draw(1, 1, 2, 8), draw(2, 8), draw(2, 8))),
        (ValueError, "expected key_padding_mask of", lambda: Ours(16, 4, batch_first=True)(*[draw(2, 3, 16, dtype=torch.float)] * 3, key_padding_mask=PADDED)),
        (ValueError, "expected attn_mask of", lambda: Ours(16, 4, batch_first=True)(*[draw(2, 3, 16, dtype=torch.float)] * 3, attn_mask=HIDDEN)),
        (RuntimeError, "expected attn_mask with is_causal", lambda: Ours(16, 4)(*[draw(2, 3, 16, dtype=torch.float)] * 3, is_causal=True)),
        (ValueError, "found 0 of them", lambda: calor.nn.replace_attention(torch.nn.Linear(2, 2))),
        (ValueError, "the attention itself", lambda: calor.nn.replace_attention(Theirs(8, 2))),
    ],
)
def test_refusals(fault, text, call):
    with pytest.raises(fault, match=text):
        call()


def test_onnx_export_has_the_standard_operator(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = Ours(16, 4, score="metric", batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    model, x = Model().eval(), draw(2, 5, 16, dtype=torch.float)
    program = torch.onnx.export(model, (x,), dynamo=True, opset_version=23, verbose=False)
    assert "Attention" in {node.op_type for node in program.model_proto.graph.node}
    program.save(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (out,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(out), model(x), rtol=1e-4, atol=1e-5)


def test_models_of_transformers():
    transformers = pytest.importorskip("transformers")
    from calor.nn import hugging_face

    assert hugging_face.register() == "calor" and hugging_face.register("calor-l2", score="l2") == "calor-l2"
    with pytest.raises(ValueError, match="expected score"):
        hugging_face.register(score="metric")
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)).eval()
    words = torch.randint(0, 50, (2, 12), generator=torch.Generator().manual_seed(0))
    here = torch.ones(2, 12, dtype=torch.long)
    here[1, :4] = 0
    found = {}
    for name in ("sdpa", "calor", "calor-l2"):
        model.set_attn_implementation(name)
        with torch.no_grad():
            found[name] = model(words, attention_mask=here).logits[here.bool()], model.generate(words, max_new_tokens=4, do_sample=False, pad_token_id=0)
    torch.testing.assert_close(found["calor"][0], found["sdpa"][0], rtol=1e-4, atol=1e-5)
    assert torch.equal(found["calor"][1], found["sdpa"][1]) and not torch.allclose(found["calor-l2"][0], found["sdpa"][0], atol=1e-5)
