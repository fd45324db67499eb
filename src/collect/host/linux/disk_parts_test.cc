#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

const HostOptions kDefaults;

TEST(DiskstatsPart, TellsBytesAndSecondsAndLeavesOutPartitionsAndRamDisks) {
  const RecordedTree tree;
  tree.write("proc/diskstats",
             "   7 0 loop0 1 0 0 0 0 0 0 0 0 0 0\n"
             "   8 1 sda1 1 0 0 0 0 0 0 0 0 0 0\n"
             " 259 1 nvme0n1p1 1 0 0 0 0 0 0 0 0 0 0\n"
             " 259 0 nvme0n1 10 11 12 13000 14 15 16 17 18 19 20 21 22 23 24 25 26\n"
             "   8 0 sda 10 11 12 13 14 15 16 17 18 19 20\n");
  PartRunner runner(diskstats_part(tree.source(), filter(kDefaults.disk_exclude)));
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  EXPECT_EQ(samples.size(), 17u + 11u);  // sda as of a kernel before 4.18
  EXPECT_EQ(samples.at(R"(node_disk_reads_completed_total{device="nvme0n1"})"), 10);
  EXPECT_EQ(samples.at(R"(node_disk_read_bytes_total{device="nvme0n1"})"), 12 * 512);
  EXPECT_EQ(samples.at(R"(node_disk_read_time_seconds_total{device="nvme0n1"})"), 13);
  EXPECT_EQ(samples.at(R"(node_disk_io_now{device="sda"})"), 18);
  EXPECT_EQ(samples.at(R"(node_disk_discarded_sectors_total{device="nvme0n1"})"), 23);
  EXPECT_EQ(samples.at(R"(node_disk_flush_requests_total{device="nvme0n1"})"), 25);
}

TEST(DiskstatsPart, ADiskThatIsPulledOutGetsStaleMarkers) {
  const RecordedTree tree;
  tree.write("proc/diskstats",
             "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n");
  PartRunner runner(diskstats_part(tree.source(), filter("")));
  runner.run();
  tree.write("proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n");
  EXPECT_TRUE(model::is_stale(runner.run().at(R"(node_disk_io_now{device="sdb"})")));
  EXPECT_TRUE(runner.succeeded());
}

TEST(DiskInfoPart, TakesWhatUdevKnows) {
  const RecordedTree tree;
  tree.write("proc/diskstats",
             "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n254 0 vda 1 2 3 4 5 6 7 8 9 10 11\n");
  tree.write("root/run/udev/data/b8:0",
             "S:disk/by-id/x\nE:ID_MODEL=SSD_9\nE:ID_SERIAL_SHORT=abc\nE:ID_WWN=0x5\n"
             "E:ID_PATH=pci-0000\nE:ID_REVISION=1.0\n");
  PartRunner runner(disk_info_part(tree.source(), filter("")));
  const Samples samples = runner.run();
  EXPECT_TRUE(samples.contains(
      R"(node_disk_info{device="sda", major="8", minor="0", model="SSD_9", path="pci-0000", )"
      R"(revision="1.0", serial="abc", wwn="0x5"})"));
  EXPECT_TRUE(samples.contains(R"(node_disk_info{device="vda", major="254", minor="0"})"));
}

}  // namespace
}  // namespace binnacle::collect::host
