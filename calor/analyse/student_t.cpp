#include <boost/math/distributions/students_t.hpp>

#include "calor/analyse/statistics.h"
#include "calor/core/error.h"

namespace calor::analyse {
namespace {

boost::math::students_t distribution(double degrees_of_freedom) {
  require(degrees_of_freedom > 0, Fault::internal, "[student_t] expected degrees of freedom above 0, found {}",
          degrees_of_freedom);
  return boost::math::students_t(degrees_of_freedom);
}

}  // namespace

double student_t_cdf(double t, double degrees_of_freedom) { return cdf(distribution(degrees_of_freedom), t); }

double student_t_quantile(double p, double degrees_of_freedom) {
  const auto t = distribution(degrees_of_freedom);
  require(p > 0 && p < 1, Fault::internal, "[student_t] expected a probability in (0, 1), found {}", p);
  return quantile(t, p);
}

}  // namespace calor::analyse
