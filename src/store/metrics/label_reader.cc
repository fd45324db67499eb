#include "store/metrics/label_reader.h"

#include <algorithm>

#include "store/metrics/read_cache.h"

namespace binnacle::store::metrics {
namespace {

// About 8 KiB each; what a query over more values than that asks again is packed again.
constexpr size_t kMostPages = 2048;

}  // namespace

LabelReader::LabelReader(const BlockIndex& index)
    : index_(index),
      wanted_{{0, index.directory().pairs}},
      pages_(index.directory().values.size()) {}

void LabelReader::keep_only(std::span<const std::string> names) {
  wanted_.clear();
  for (const BlockDirectory::Name& name : index_.directory().names) {
    if (std::ranges::find(names, name.name) == names.end()) continue;
    wanted_.push_back({name.first_pair, name.first_pair + name.pairs});
  }
}

std::string_view LabelReader::PackedPage::at(size_t i) const {
  const size_t begin = i == 0 ? 0 : ends[i - 1];
  return std::string_view(text).substr(begin, ends[i] - begin);
}

Result<const LabelReader::PackedPage*> LabelReader::packed(size_t index) {
  if (pages_[index] != nullptr) return pages_[index].get();
  if (held_ == kMostPages) {
    for (auto& page : pages_) page.reset();
    held_ = 0;
  }
  const CacheKey key{index_.owner(), CachedKind::kPackedValues, index};
  auto page = thread_read_cache().find<PackedPage>(key);
  if (page == nullptr) {
    TRY_ASSIGN(page, pack(index));
    thread_read_cache().put(key, page, page->memory_bytes());
  }
  pages_[index] = std::move(page);
  ++held_;
  return pages_[index].get();
}

Result<std::shared_ptr<const LabelReader::PackedPage>> LabelReader::pack(size_t index) const {
  TRY_ASSIGN(const auto values, index_.value_page(index));
  auto page = std::make_shared<PackedPage>();
  const auto& names = index_.directory().names;
  auto pair = static_cast<uint32_t>(index * kPairsPerPage);
  auto name =
      std::prev(std::ranges::upper_bound(names, pair, {}, &BlockDirectory::Name::first_pair));
  for (size_t i = 0; i < values->size(); ++i, ++pair) {
    while (pair - name->first_pair >= name->pairs) ++name;
    model::append_packed_label(page->text, name->name, values->at(i));
    page->ends.push_back(static_cast<uint32_t>(page->text.size()));
    page->names.push_back(static_cast<uint32_t>(name - names.begin()));
  }
  return page;
}

void LabelReader::choose(std::span<const uint32_t> pairs) {
  next_.clear();
  auto range = wanted_.begin();
  for (const uint32_t pair : pairs) {
    while (range != wanted_.end() && range->end <= pair) ++range;
    if (range == wanted_.end()) return;
    if (range->begin <= pair) next_.push_back(pair);
  }
}

Status LabelReader::append(uint32_t pair, uint32_t series) {
  TRY_ASSIGN(const PackedPage* page, packed(pair / kPairsPerPage));
  const size_t at = pair % kPairsPerPage;
  if (!names_.empty() && names_.back() == page->names[at])
    return index_.broken(index_.directory().series_pages[series / kSeriesPerPage],
                         "one label twice");
  text_ += page->at(at);
  pairs_.push_back(pair);
  ends_.push_back(static_cast<uint32_t>(text_.size()));
  names_.push_back(page->names[at]);
  return {};
}

Status LabelReader::read(uint32_t series, model::LabelsView& out) {
  if (page_number_ != series / kSeriesPerPage) {
    TRY_ASSIGN(page_, index_.series_page(series));
    page_number_ = series / kSeriesPerPage;
  }
  choose(page_->pairs(series % kSeriesPerPage));
  const auto shared = static_cast<size_t>(std::ranges::mismatch(next_, pairs_).in1 - next_.begin());
  pairs_.resize(shared);
  ends_.resize(shared);
  names_.resize(shared);
  text_.resize(shared == 0 ? 0 : ends_.back());
  for (size_t i = shared; i < next_.size(); ++i) TRY(append(next_[i], series));
  out = model::LabelsView(text_);
  return {};
}

}  // namespace binnacle::store::metrics
