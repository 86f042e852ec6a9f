#include "calor/kernels/isa.h"

#include <atomic>
#include <cstdlib>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/bf16/tiles.h"
#include "calor/kernels/highway/isas.h"
#include "calor/kernels/scalar/tables.h"

namespace calor::kernels {

// Registration is explicit: static initialisers in a static library are dropped by the linker.
const std::vector<Isa>& runnable_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> list{{"scalar", nullptr, scalar::tables()}};
    for (const Isa& isa : highway_isas()) list.push_back(isa);
    if (list.back().name == "avx512") list.back().bf16 = bf16::tiles();
    return list;
  }();
  return isas;
}

static const Isa& isa_called(const std::string& name, const char* where) {
  for (const Isa& isa : runnable_isas())
    if (isa.name == name) return isa;
  fail(Fault::usage, "[isa] expected one of {}, found \"{}\" ({}): name one that this machine can run",
       list_names(isa_names()), name, where);
}

static std::atomic<const Isa*> forced{nullptr};

const Isa& current_isa() {
  if (const Isa* isa = forced.load(std::memory_order_acquire)) return *isa;
  static const Isa& chosen = [&]() -> const Isa& {
    const char* name = std::getenv("CALOR_ISA");
    return name && *name ? isa_called(name, "CALOR_ISA") : runnable_isas().back();
  }();
  return chosen;
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const Isa& isa : runnable_isas()) names.push_back(isa.name);
  return names;
}

std::string isa_name() { return current_isa().name; }

bool bf16_products() { return current_isa().bf16 != nullptr; }

void force_isa(const std::string& name) {
  forced.store(name.empty() ? nullptr : &isa_called(name, "force_isa"), std::memory_order_release);
}

}  // namespace calor::kernels
