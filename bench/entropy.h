// An estimate of what the values of one series must take: what a coder that looks at this series
// alone could reach at best, without times and labels. The series is taken for a walk: its values
// as integers (of the decimal places that it has, or its bits where it has none), the steps between
// them as drawn independently of each other. Where steps repeat, their entropy is that of their
// counts with Miller and Madow's correction; where they do not, it comes from the spacing of the
// sorted steps (Vasicek 1976). A coder that looks at a neighbour too, as at a histogram's next
// bucket, may do better. One thread.
#pragma once

#include <vector>

namespace binnacle::bench {

double entropy_bytes(const std::vector<double>& values);  // for each value

}  // namespace binnacle::bench
