#include "engine/model/products.h"

#include <algorithm>

namespace binnacle::engine {
namespace {

// A part's weights stay in the second-level cache while blocks of rows pass over them.
constexpr int64_t kMostPartBytes = 256 * 1024;
constexpr int64_t kLeastPartBytes = 16 * 1024;
constexpr int64_t kPartsPerThread = 8;
constexpr int64_t kOutputsTogether = 4;  // parts begin where the widest kernel's tiles do

int64_t outputs_of_part(const Matrix& matrix, int64_t part_bytes) {
  const int64_t outputs = part_bytes / std::max<int64_t>(matrix.row_bytes(), 1);
  return std::max(outputs / kOutputsTogether, int64_t{1}) * kOutputsTogether;
}

int64_t parts_of(const Matrix& matrix, int64_t part_bytes) {
  const int64_t outputs = outputs_of_part(matrix, part_bytes);
  return (matrix.out + outputs - 1) / outputs;
}

}  // namespace

void multiply(ThreadTeam& team, const Kernels& kernels, std::span<const Product> products) {
  int64_t bytes = 0;
  for (const Product& product : products) bytes += product.matrix.bytes();
  const int64_t part_bytes =
      std::clamp(bytes / (team.threads() * kPartsPerThread), kLeastPartBytes, kMostPartBytes);
  int64_t parts = 0;
  for (const Product& product : products) parts += parts_of(product.matrix, part_bytes);
  team.run(parts, [&](int64_t part, int) {
    for (const Product& product : products) {
      const int64_t here = parts_of(product.matrix, part_bytes);
      if (part < here) {
        const int64_t outputs = outputs_of_part(product.matrix, part_bytes);
        const int64_t begin = part * outputs;
        kernels.product(product, begin, std::min(begin + outputs, product.matrix.out));
        return;
      }
      part -= here;
    }
  });
}

}  // namespace binnacle::engine
