// fmt's compiled part, for a wheel that runs on other machines (CALOR_MANYLINUX): Debian has fmt as a shared library alone, which would bring another
// C++ runtime than the one linked into us.
#include <fmt/format-inl.h>

namespace fmt {
inline namespace v9 {
namespace detail {

template auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;

}  // namespace detail
}  // namespace v9
}  // namespace fmt
