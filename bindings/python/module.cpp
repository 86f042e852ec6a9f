// calor._engine: the classical pipelines for Python, over calor/api.  Arrays go in by the buffer protocol and come out as bytes; everything
// that Python's users see is made of this in python/calor.
#include <memory>
#include <string>

#include "calor/api/pipeline.h"
#include "calor/core/version.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/wants.h"
#include "calor/recipes/recipes.h"
#include "operators.h"
#include "python.h"
#include "values.h"
#include "work.h"

namespace calor::python {
namespace {

// A fit, and what its session points to.
struct Held {
  std::shared_ptr<Watch> watch;
  Fit fit;
  std::optional<Result> result;  // none for a fit that was loaded
};

struct FitObject {
  PyObject_HEAD
  Held* held;
};

struct ModuleState {
  PyObject* fit_type;
};

const Held& held_of(PyObject* self) { return *reinterpret_cast<FitObject*>(self)->held; }

void dispose(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<FitObject*>(self)->held;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

Object new_fit(PyObject* module, std::unique_ptr<Held> held) {
  auto* type = reinterpret_cast<PyTypeObject*>(static_cast<ModuleState*>(PyModule_GetState(module))->fit_type);
  Object object(reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc))(type, 0));
  reinterpret_cast<FitObject*>(object.get())->held = held.release();
  return object;
}

// The pipeline's text; on a given similarity, what finds one gives way to it.
std::string text_on(const std::string& text, const std::vector<std::string>& settings, bool similarities) {
  const pipeline::Pipeline parsed = recipes::resolve(text, settings);
  return pipeline::print(pipeline::bind_stages(similarities ? pipeline::begin_with_similarity(parsed, recipes::all_stages()) : parsed, recipes::all_stages()));
}

const char* wants_name(pipeline::Wants wants) {
  switch (wants) {
    case pipeline::Wants::labels: return "labels";
    case pipeline::Wants::classes: return "classes";
    case pipeline::Wants::values: return "values";
    case pipeline::Wants::graph: return "graph";
    case pipeline::Wants::mesh: return "mesh";
    default: return "nothing";
  }
}

PyObject* describe(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text = nullptr, *settings = nullptr;
    if (!PyArg_ParseTuple(arguments, "UO!", &text, &PyList_Type, &settings)) throw Raised{};
    const auto stages = pipeline::bind_stages(recipes::resolve(text_from(text), texts_from(settings)), recipes::all_stages());
    Object dict(PyDict_New());
    set(dict.get(), "text", text_of(pipeline::print(stages)));
    set(dict.get(), "gives", text_of(pipeline::type_names(stages.back().gives)));
    set(dict.get(), "wants", text_of(wants_name(pipeline::wants_of(stages))));
    set(dict.get(), "places", Object(PyBool_FromLong(pipeline::without_place(stages) == nullptr)));
    return dict;
  });
}

PyObject* explain(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text = nullptr, *settings = nullptr, *points = nullptr, *session = nullptr;
    if (!PyArg_ParseTuple(arguments, "UO!O!O!", &text, &PyList_Type, &settings, &PyDict_Type, &points, &PyDict_Type, &session)) throw Raised{};
    Given given = given_from(points);
    const std::string resolved = text_on(text_from(text), texts_from(settings), item(points, "similarities") != nullptr);
    const std::shared_ptr<Watch> watch = Watch::of(session);
    std::string said;
    watch->run([&] {
      const Session own = watch->session();
      said = Pipeline(resolved).explain(Points(data_of(std::move(given), Use::fit, own.context()), own));
    });
    return text_of(resolved + "\n" + said);
  });
}

PyObject* fit(PyObject* module, PyObject* arguments) {
  return guarded([&] {
    PyObject *text = nullptr, *settings = nullptr, *points = nullptr, *session = nullptr;
    if (!PyArg_ParseTuple(arguments, "UO!O!O!", &text, &PyList_Type, &settings, &PyDict_Type, &points, &PyDict_Type, &session)) throw Raised{};
    Given given = given_from(points);
    const std::string resolved = text_on(text_from(text), texts_from(settings), item(points, "similarities") != nullptr);
    std::shared_ptr<Watch> watch = Watch::of(session);
    std::unique_ptr<Held> held;
    watch->run([&] {
      const Session own = watch->session();
      Fit made = Pipeline(resolved).fit(Points(data_of(std::move(given), Use::fit, own.context()), own));
      Result result = result_of(made.result(), 0, own.context());
      held = std::make_unique<Held>(Held{watch, std::move(made), std::move(result)});
    });
    return new_fit(module, std::move(held));
  });
}

PyObject* load(PyObject* module, PyObject* arguments) {
  return guarded([&] {
    PyObject* path = nullptr;
    if (!PyArg_ParseTuple(arguments, "U", &path)) throw Raised{};
    return new_fit(module, std::make_unique<Held>(Held{nullptr, Fit::load(text_from(path)), std::nullopt}));
  });
}

PyObject* fit_result(PyObject* self, PyObject*) {
  return guarded([&] {
    const Held& held = held_of(self);
    if (!held.result) held.fit.result();  // says why there is none
    Object dict = dict_of(*held.result, 0);
    const pipeline::Kept& kept = held.fit.saved().fit.kept.back();
    if (kept.has("centres")) set(dict.get(), "centres", array_of(kept.array("centres")));
    return dict;
  });
}

PyObject* fit_transform(PyObject* self, PyObject* arguments) {
  return guarded([&] {
    PyObject *points = nullptr, *session = nullptr;
    long long most = 0;
    if (!PyArg_ParseTuple(arguments, "O!O!L", &PyDict_Type, &points, &PyDict_Type, &session, &most)) throw Raised{};
    Given given = given_from(points);
    const std::shared_ptr<Watch> watch = Watch::of(session);
    Result result;
    watch->run([&] {
      const Session own = watch->session();
      result = result_of(held_of(self).fit.transform(Points(data_of(std::move(given), Use::new_points, own.context()), own)), most, own.context());
    });
    return dict_of(result, most);
  });
}

PyObject* fit_save(PyObject* self, PyObject* arguments) {
  return guarded([&] {
    PyObject* path = nullptr;
    Saving saving;
    int compact = 0;
    long long landmarks = 0;
    if (!PyArg_ParseTuple(arguments, "ULp", &path, &landmarks, &compact)) throw Raised{};
    saving.landmarks = landmarks;
    saving.compact = compact != 0;
    held_of(self).fit.save(text_from(path), saving);
    return Object(borrowed(Py_None));
  });
}

PyObject* fit_report(PyObject* self, PyObject* arguments) {
  return guarded([&] {
    PyObject *path = nullptr, *texts = nullptr, *session = nullptr;
    if (!PyArg_ParseTuple(arguments, "UO!O!", &path, &PyDict_Type, &texts, &PyDict_Type, &session)) throw Raised{};
    Shown shown;
    const auto take = [&](const char* name, std::string& text) {
      if (PyObject* given = item(texts, name)) text = text_from(given);
    };
    take("title", shown.title);
    take("data", shown.data);
    take("label", shown.label);
    take("command", shown.command);
    shown.classes = texts_from(item(texts, "classes"));
    if (PyObject* labels = item(texts, "labels")) shown.labels = vector_from<std::int64_t>(labels);
    const std::shared_ptr<Watch> watch = Watch::of(session);
    const std::string file = text_from(path);
    watch->run([&] { held_of(self).fit.report(file, shown, watch->session()); });
    return Object(borrowed(Py_None));
  });
}

// What the fit was made from and can do.
PyObject* fit_describe(PyObject* self, PyObject*) {
  return guarded([&] {
    const pipeline::SavedFit& saved = held_of(self).fit.saved();
    const pipeline::Data& data = *saved.fit.data;
    Object dict(PyDict_New());
    set(dict.get(), "text", text_of(saved.pipeline));
    set(dict.get(), "gives", text_of(pipeline::type_names(saved.fit.stages.back().gives)));
    set(dict.get(), "wants", text_of(wants_name(pipeline::wants_of(saved.fit.stages))));
    set(dict.get(), "places", Object(PyBool_FromLong(pipeline::without_place(saved.fit.stages) == nullptr)));
    set(dict.get(), "rows", Object(PyLong_FromLongLong(data.rows())));
    const char* takes = data.distances ? "distances" : data.graph && data.columns() == 0 ? "similarities" : "points";
    set(dict.get(), "columns", Object(PyLong_FromLongLong(takes == std::string("points") ? data.columns() : data.rows())));
    set(dict.get(), "takes", text_of(takes));
    set(dict.get(), "classes", texts_of(data.classes));
    set(dict.get(), "feature_names", texts_of(data.feature_names));
    set(dict.get(), "row_names", texts_of(data.row_names));
    set(dict.get(), "labels", array_of(data.labels.data(), {static_cast<std::int64_t>(data.labels.size())}));
    set(dict.get(), "seed", Object(PyLong_FromUnsignedLongLong(saved.fit.seed)));
    return dict;
  });
}

// [(name, pipeline, [(parameter, default)], summary)]
PyObject* recipes_list(PyObject*, PyObject*) {
  return guarded([&] {
    Object list(PyList_New(0));
    for (const recipes::Recipe& recipe : recipes::all_recipes()) {
      Object parameters(PyDict_New());
      for (const recipes::RecipeParameter& parameter : recipe.parameters) set(parameters.get(), std::string(parameter.name).c_str(), text_of(std::string(parameter.standard)));
      const Object entry(Py_BuildValue("(OOOO)", text_of(std::string(recipe.name)).get(), text_of(std::string(recipe.pipeline)).get(), parameters.get(),
                                       text_of(std::string(recipe.summary)).get()));
      if (PyList_Append(list.get(), entry.get()) < 0) throw Raised{};
    }
    return list;
  });
}

PyMethodDef fit_methods[] = {
    {"result", fit_result, METH_NOARGS, "The result as a dict of arrays."},
    {"transform", fit_transform, METH_VARARGS, "transform(points, session, evidence): new points, as a dict of arrays."},
    {"save", fit_save, METH_VARARGS, "save(path): the command line's model file."},
    {"report", fit_report, METH_VARARGS, "report(path, texts, session): the command line's report."},
    {"describe", fit_describe, METH_NOARGS, "What the fit was made from, and can do."},
    {}};

PyType_Slot fit_slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dispose)},
                           {Py_tp_methods, fit_methods},
                           {Py_tp_doc, const_cast<char*>("A pipeline that has run on its points.")},
                           {}};
PyType_Spec fit_spec{"calor._engine.Fit", sizeof(FitObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, fit_slots};

int execute(PyObject* module) {
  auto* state = static_cast<ModuleState*>(PyModule_GetState(module));
  state->fit_type = PyType_FromModuleAndSpec(module, &fit_spec, nullptr);
  if (!state->fit_type || PyModule_AddObjectRef(module, "Fit", state->fit_type) < 0) return -1;
  return PyModule_AddStringConstant(module, "version", version);
}

int traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(static_cast<ModuleState*>(PyModule_GetState(module))->fit_type);
  return 0;
}

int clear(PyObject* module) {
  Py_CLEAR(static_cast<ModuleState*>(PyModule_GetState(module))->fit_type);
  return 0;
}

PyMethodDef module_methods[] = {
    {"describe", describe, METH_VARARGS, "describe(pipeline, settings): its canonical text, what it gives and what it asks for."},
    {"explain", explain, METH_VARARGS, "explain(pipeline, settings, points, session): what it would do, with memory and time."},
    {"fit", fit, METH_VARARGS, "fit(pipeline, settings, points, session) -> Fit"},
    {"load", load, METH_VARARGS, "load(path) -> Fit"},
    {"recipes", recipes_list, METH_NOARGS, "Every recipe: (name, pipeline, parameters with defaults, summary)."},
    {"attention_forward", attention_forward, METH_VARARGS, "Attention's kernel, by addresses (operators.h)."},
    {"attention_backward", attention_backward, METH_VARARGS, "Its gradients."},
    {"edge_attention_forward", edge_attention_forward, METH_VARARGS, "Attention on edges, by addresses (operators.h)."},
    {"edge_attention_backward", edge_attention_backward, METH_VARARGS, "Its gradients."},
    {"edge_sums_forward", edge_sums_forward, METH_VARARGS, "Weighted sums over edges, by addresses (operators.h)."},
    {"edge_sums_backward", edge_sums_backward, METH_VARARGS, "Their gradients."},
    {"edges_by_column", edges_by_column, METH_VARARGS, "The same edges by column, by addresses (operators.h)."},
    {"edge_dropout", edge_dropout, METH_VARARGS, "The factors of dropout on edges, by addresses (operators.h)."},
    {}};

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, reinterpret_cast<void*>(execute)}, {}};
PyModuleDef definition{PyModuleDef_HEAD_INIT, "calor._engine", nullptr, sizeof(ModuleState), module_methods, module_slots, traverse, clear, nullptr};

}  // namespace
}  // namespace calor::python

PyMODINIT_FUNC PyInit__engine() { return PyModuleDef_Init(&calor::python::definition); }
