// Which form of points a pipeline can run on, told from its bound stages before anything runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/stage.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

Form form_of(const Data& data);

// The first stage, in the bodies of others too, that cannot run on points of that form as they are; null where none is.  Stages after one
// that moves the points meet dense ones.
const BoundStage* without_form(const std::vector<BoundStage>& stages, Form form);

// The data as the pipeline reads them: as they are, or sparse points made dense, which the remark says.  Throws Fault::memory for what
// would be too much, Fault::usage with a caret for distances at a stage that needs points, Fault::input for a pair without a distance
// where every pair needs one.
struct Readable {
  std::shared_ptr<const Data> data;
  std::string remark;  // "" where nothing was done
};
Readable readable(const std::vector<BoundStage>& stages, std::shared_ptr<const Data> data, const Context& context);

// What `readable` would do, in a line; "" for dense points and graphs.  Throws as it does.
std::string form_text(const std::vector<BoundStage>& stages, const Data& data, const Context& context);

// Points in the fit's form: a sparse row for a dense one, or the other way.  `like` is readable data.  Throws Fault::input for another
// number of columns, and for distances that are none or where there should be points.
Points in_form_of(const Data& like, const Points& points, const std::vector<BoundStage>& stages, const Context& context);

}  // namespace calor::pipeline
