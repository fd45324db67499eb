#include <gtest/gtest.h>
#include <unistd.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

TEST(NetdevPart, TellsBothDirectionsOfEachDevice) {
  const RecordedTree tree;
  tree.write("proc/net/dev",
             "Inter-|   Receive\n face |bytes\n"
             "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
             "eth0:192154657 3467 3 4 5 6 7 8 140556 10 11 12 13 14 15 16\n"
             "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
             "wlan0: 1 2 3\n");
  PartRunner runner(netdev_part(tree.source(), filter("^lo$")));
  const Samples samples = runner.run();
  EXPECT_FALSE(runner.succeeded());  // wlan0 is cut off
  EXPECT_EQ(samples.size(), 16u + 16u + 3u);
  EXPECT_EQ(samples.at(R"(node_network_receive_bytes_total{device="eth0"})"), 192154657);
  EXPECT_EQ(samples.at(R"(node_network_receive_multicast_total{device="eth0"})"), 8);
  EXPECT_EQ(samples.at(R"(node_network_transmit_bytes_total{device="eth0"})"), 140556);
  EXPECT_EQ(samples.at(R"(node_network_transmit_compressed_total{device="eth0:1"})"), 16);
}

TEST(NetclassPart, TellsPropertiesAndLeavesOutWhatTheDriverDoesNotOffer) {
  const RecordedTree tree;
  const std::pair<const char*, const char*> files[] = {
      {"mtu", "1400"},     {"speed", "10000"}, {"flags", "0x1003"},
      {"operstate", "up"}, {"carrier", "1"},   {"address", "02:fc"},
      {"duplex", "full"},  {"ifalias", ""},    {"carrier_changes", "2"}};
  for (const auto& [file, text] : files) {
    tree.write(std::string("sys/class/net/eth0/") + file, std::string(text) + "\n");
  }
  tree.write("sys/class/net/eth1/operstate", "down\n");
  tree.write("sys/class/net/bonding_masters", "bond0\n");
  PartRunner runner(netclass_part(tree.source()));
  const Samples samples = runner.run();
  EXPECT_TRUE(runner.succeeded());
  EXPECT_EQ(
      samples,
      (Samples{
          {R"(node_network_mtu_bytes{device="eth0"})", 1400},
          {R"(node_network_speed_bytes{device="eth0"})", 1.25e9},
          {R"(node_network_flags{device="eth0"})", 4099},
          {R"(node_network_carrier{device="eth0"})", 1},
          {R"(node_network_carrier_changes_total{device="eth0"})", 2},
          {R"(node_network_up{device="eth0"})", 1},
          {R"(node_network_up{device="eth1"})", 0},
          {R"(node_network_info{address="02:fc", device="eth0", duplex="full", operstate="up"})",
           1},
          {R"(node_network_info{device="eth1", operstate="down"})", 1},
      }));
  tree.write("sys/class/net/eth0/mtu", "large\n");
  runner.run();
  EXPECT_FALSE(runner.succeeded());
}

TEST(NohandlerPart, ReadsTheCounterOfEachDeviceThatIsNotLeftOut) {
  const RecordedTree tree;
  tree.write("sys/class/net/eth0/statistics/rx_nohandler", "7\n");
  tree.write("sys/class/net/lo/statistics/rx_nohandler", "8\n");
  PartRunner runner(nohandler_part(tree.source(), filter("^lo$")));
  EXPECT_EQ(runner.run(), (Samples{{R"(node_network_receive_nohandler_total{device="eth0"})", 7}}));
}

TEST(NetstatPart, KeepsTheWantedFieldsOfAllThreeFiles) {
  const RecordedTree tree;
  tree.write("proc/net/netstat",
             "TcpExt: SyncookiesSent TW ListenDrops\nTcpExt: 1 2 3\n"
             "IpExt: InOctets\nIpExt: 4\n");
  tree.write("proc/net/snmp", "Tcp: MaxConn CurrEstab InErrs\nTcp: -1 5 6\n");
  tree.write("proc/net/snmp6", "Ip6InOctets \t 7\nIp6InReceives 8\nUdpLite6InErrors 9\nstray 1\n");
  PartRunner runner(netstat_part(tree.source()));
  const Samples wanted{{"node_netstat_TcpExt_SyncookiesSent", 1},
                       {"node_netstat_TcpExt_ListenDrops", 3},
                       {"node_netstat_IpExt_InOctets", 4},
                       {"node_netstat_Tcp_CurrEstab", 5},
                       {"node_netstat_Tcp_InErrs", 6},
                       {"node_netstat_Ip6_InOctets", 7},
                       {"node_netstat_UdpLite6_InErrors", 9}};
  EXPECT_EQ(runner.run(), wanted);
  EXPECT_EQ(runner.run(), wanted);  // now by the remembered headings
  EXPECT_TRUE(runner.succeeded());
}

TEST(NetstatPart, WorksWithoutIpv6AndNoticesHeadingsThatDoNotFit) {
  const RecordedTree tree;
  tree.write("proc/net/netstat", "");
  tree.write("proc/net/snmp", "Tcp: CurrEstab\nTcp: 5\n");
  PartRunner runner(netstat_part(tree.source()));
  EXPECT_EQ(runner.run().size(), 1u);
  EXPECT_TRUE(runner.succeeded());
  for (const char* bad : {"Tcp: CurrEstab\nUdp: 5\n", "Tcp: CurrEstab\n", "Tcp\n5\n",
                          "Tcp: CurrEstab\nTcp: x\n", "Tcp: CurrEstab\nTcp:\n"}) {
    tree.write("proc/net/snmp", bad);
    runner.run();
    EXPECT_FALSE(runner.succeeded()) << bad;
  }
}

TEST(SockstatPart, TellsStatesAndMemoryInBytes) {
  const RecordedTree tree;
  tree.write("proc/net/sockstat", "sockets: used 17\nTCP: inuse 1 mem 3\n");
  tree.write("proc/net/sockstat6", "TCP6: inuse 2\n");
  PartRunner runner(sockstat_part(tree.source()));
  const Samples samples = runner.run();
  EXPECT_EQ(
      samples,
      (Samples{{"node_sockstat_sockets_used", 17},
               {"node_sockstat_TCP_inuse", 1},
               {"node_sockstat_TCP_mem", 3},
               {"node_sockstat_TCP_mem_bytes", 3.0 * static_cast<double>(sysconf(_SC_PAGESIZE))},
               {"node_sockstat_TCP6_inuse", 2}}));
  tree.write("proc/net/sockstat", "sockets: used\nTCP inuse 1\nUDP: inuse 4\n");
  EXPECT_EQ(runner.run().at("node_sockstat_UDP_inuse"), 4);
  EXPECT_FALSE(runner.succeeded());
}

}  // namespace
}  // namespace binnacle::collect::host
