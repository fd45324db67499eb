// Floats as text, the shortest form that reads back the same, in the two layouts of Go that the
// Prometheus world writes. Pure functions; NaN, +Inf and -Inf are written so in both.
#pragma once

#include <cstddef>
#include <string>

namespace binnacle {

// strconv.FormatFloat(v, 'g', -1, 64): 0.5, 123456, 1e+06, 1e-05. The text exposition formats.
void append_float_text(std::string& out, double v);

// encoding/json's layout: 0.000001, 123456789, 1e-7, 1e+21. Sample values in the HTTP API, which
// puts them in quotes.
void append_float_json(std::string& out, double v);
// The same at `out`, which has room for kFloatJsonBytes; returns its end. For writers of millions.
inline constexpr size_t kFloatJsonBytes = 32;
char* write_float_json(char* out, double v);

}  // namespace binnacle
