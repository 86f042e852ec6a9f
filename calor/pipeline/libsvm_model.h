// Support vector machines in libsvm's model files, which svm-train writes and svm-predict reads.
//
// A fit of kernel(..) | weigh(..), with vote or average after it, is written as c_svc, epsilon_svr or one_class; of a file its support
// vectors become the fit's points, sparse, with columns x1, x2, ...  nu_svc and nu_svr are read as the same machines.
#pragma once

#include <string>

#include "calor/pipeline/model.h"

namespace calor::pipeline {

// By its first word.
bool is_libsvm_model(const std::string& path);

// Whether the name says so: it ends in .model, as svm-train's do.
bool names_libsvm_model(const std::string& path);

// Throws Fault::usage for stages that libsvm has no place for.
void require_libsvm_stages(const std::vector<BoundStage>& stages);

// Atomic.  Throws Fault::usage, also for classes that are no whole numbers.
void save_libsvm_model(const std::string& path, const SavedFit& saved);

// Throws Fault::input with the line for what is no such file, and for precomputed kernels.
SavedFit load_libsvm_model(const std::string& path, const StageList& stages);

}  // namespace calor::pipeline
