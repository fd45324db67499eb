#include <dlfcn.h>
#include <gmock/gmock.h>

#include "collect/gpu/gpu_parts.h"
#include "collect/gpu/nvml_library.h"
#include "collect/gpu/nvml_reader.h"
#include "collect/gpu/testing/nvml_double.h"
#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::gpu {
namespace {

using host::Samples;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The double is one library a process: every test sets it back.
testing::DoubleState& driver() {
  void* const library = ::dlopen(BINNACLE_NVML_DOUBLE, RTLD_NOW);
  CHECK(library != nullptr);
  const auto find = reinterpret_cast<testing::FindState>(::dlsym(library, "nvml_double_state"));
  return *find();
}

class NvidiaPartTest : public ::testing::Test {
 protected:
  NvidiaPartTest() {
    driver_.gpus[0].uuid = "GPU-a";
    driver_.gpus[1].uuid = "GPU-b";
    for (auto& gpu : driver_.gpus) {
      gpu.lost = false;
      gpu.listed = true;
      gpu.old_memory_only = false;
      gpu.mig_instances = 0;
      gpu.utilization = 95;
    }
    driver_.hang = false;
    driver_.pending_xid = 0;
    driver_.init_result = 0;
    options_.host_name = "n1";
    const auto api = load_nvml(BINNACLE_NVML_DOUBLE);
    CHECK(api.has_value());
    auto watch =
        std::make_unique<GpuWatch>(std::make_unique<NvmlReader>(*api, options_), options_.stuck_ms,
                                   clock_, [this](const GpuEvent& event) { note(event); });
    watch_ = watch.get();
    host::Parts parts;
    parts.push_back(nvidia_part(std::move(watch), options_, &board_));
    parts_ = std::make_unique<host::PartSet>(std::move(parts), model::Labels(), 1000, clock_,
                                             store_, registry_);
  }
  ~NvidiaPartTest() override { release(); }

  void note(const GpuEvent& event) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    events_.push_back(event.kind + " " + event.uuid + " " + event.detail);
  }
  std::vector<std::string> events() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return std::exchange(events_, {});
  }
  Samples tick() {
    clock_.advance_ms(1000);
    EXPECT_TRUE(parts_->collect(clock_.wall_ms()));
    return host::samples_at(store_, clock_.wall_ms());
  }
  // What the driver says now: the tick that asks, and the one that tells. No question is open
  // afterwards, so that what a test then changes is seen by the next one as a whole.
  Samples answered() {
    watch_->wait_until_idle();
    tick();
    watch_->wait_until_idle();
    Samples samples = tick();
    watch_->wait_until_idle();
    return samples;
  }
  void release() {
    driver_.hang = false;
    driver_.wake();
  }
  static std::string dcgm(const std::string& name, const std::string& instance = "") {
    return name + R"({DCGM_FI_DRIVER_VERSION="550.1", )" +
           (instance.empty() ? "" : "GPU_I_ID=\"" + instance + "\", ") +
           R"(Hostname="n1", UUID="GPU-a", device="nvidia4", gpu="0", modelName="NVIDIA H100", )"
           R"(pci_bus_id="00000000:1B:00.0"})";
  }

  testing::DoubleState& driver_ = driver();
  GpuOptions options_;
  SimulatedClock clock_;
  GpuBoard board_{clock_};
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
  Mutex mu_;
  std::vector<std::string> events_ GUARDED_BY(mu_);
  GpuWatch* watch_ = nullptr;
  std::unique_ptr<host::PartSet> parts_;
};

TEST_F(NvidiaPartTest, TellsWhatTheDriverSaysUnderTheNamesOfDcgm) {
  const Samples samples = answered();
  const auto value = [&](const std::string& name) { return samples.at(dcgm(name)); };
  EXPECT_EQ(value("DCGM_FI_DEV_GPU_UTIL"), 95);
  EXPECT_EQ(value("DCGM_FI_DEV_MEM_COPY_UTIL"), 30);
  EXPECT_EQ(value("DCGM_FI_DEV_FB_USED"), 20 * 1024);
  EXPECT_EQ(value("DCGM_FI_DEV_FB_FREE"), 59 * 1024);
  EXPECT_EQ(value("DCGM_FI_DEV_FB_RESERVED"), 1024);
  EXPECT_EQ(value("DCGM_FI_DEV_GPU_TEMP"), 61);
  EXPECT_EQ(value("DCGM_FI_DEV_MEMORY_TEMP"), 72);
  EXPECT_EQ(value("DCGM_FI_DEV_POWER_USAGE"), 312.5);
  EXPECT_EQ(value("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), 5e9);
  EXPECT_EQ(value("DCGM_FI_DEV_SM_CLOCK"), 1980);
  EXPECT_EQ(value("DCGM_FI_DEV_MEM_CLOCK"), 2619);
  EXPECT_EQ(value("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"), 0);
  EXPECT_EQ(value("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL"), 1);
  EXPECT_EQ(value("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"), 10);
  EXPECT_EQ(value("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL"), 11);
  EXPECT_EQ(value("DCGM_FI_DEV_RETIRED_SBE"), 2);
  EXPECT_EQ(value("DCGM_FI_DEV_RETIRED_DBE"), 3);
  EXPECT_EQ(value("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS"), 1);
  EXPECT_EQ(value("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"), 2);
  EXPECT_EQ(value("DCGM_FI_DEV_ROW_REMAP_FAILURE"), 1);
  EXPECT_EQ(value("DCGM_FI_DEV_PCIE_TX_THROUGHPUT"), 111);
  EXPECT_EQ(value("DCGM_FI_DEV_PCIE_RX_THROUGHPUT"), 222);
  EXPECT_EQ(value("DCGM_FI_DEV_PCIE_REPLAY_COUNTER"), 3);
  EXPECT_EQ(value("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL"), 38);
  EXPECT_EQ(value("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"), 0x41);
  EXPECT_EQ(value("DCGM_FI_DEV_XID_ERRORS"), 0);
  EXPECT_EQ(samples.at(R"(binnacle_gpu_nvlink_transmit_bytes_total{gpu="0", uuid="GPU-a"})"),
            138 * 1024);
  EXPECT_EQ(
      samples.at(
          R"(nvidia_gpu_memory_used_bytes{minor_number="4", name="NVIDIA H100", uuid="GPU-a"})"),
      20.0 * (1 << 30));
  EXPECT_EQ(
      samples.at(
          R"(nvidia_gpu_temperature_celsius{minor_number="5", name="NVIDIA H100", uuid="GPU-b"})"),
      61);
  EXPECT_EQ(
      samples.at(
          R"(binnacle_gpu_clock_throttled{gpu="0", reason="hw_thermal_slowdown", uuid="GPU-a"})"),
      1);
  EXPECT_EQ(
      samples.at(R"(binnacle_gpu_clock_throttled{gpu="0", reason="sw_power_cap", uuid="GPU-a"})"),
      0);
  EXPECT_EQ(
      samples.at(
          R"(binnacle_gpu_process_memory_bytes{gpu="0", pid="101", process="python3", uuid="GPU-a"})"),
      2 << 20);
  EXPECT_EQ(samples.at(R"(binnacle_gpu_lost{gpu="0", uuid="GPU-a"})"), 0);
  EXPECT_EQ(board_.of_processes({101}), std::nullopt) << "this driver tells no limit of power";
  // What the driver does not offer is left out: no fan, no encoder, no recovery counter.
  for (const auto& [series, unused] : samples) {
    EXPECT_EQ(series.find("FAN_SPEED"), std::string::npos);
    EXPECT_EQ(series.find("RECOVERY"), std::string::npos);
    EXPECT_EQ(series.find("pid=\"102\""), std::string::npos);
  }
  EXPECT_THAT(events(), ElementsAre());
}

TEST_F(NvidiaPartTest, ALostGpuIsToldAsLostAndItsNumbersEnd) {
  EXPECT_EQ(answered().at(R"(binnacle_gpu_lost{gpu="0", uuid="GPU-a"})"), 0);
  driver_.gpus[0].lost = true;
  Samples samples = answered();
  EXPECT_EQ(samples.at(R"(binnacle_gpu_lost{gpu="0", uuid="GPU-a"})"), 1);
  EXPECT_EQ(samples.at(R"(binnacle_gpu_lost{gpu="1", uuid="GPU-b"})"), 0);
  EXPECT_TRUE(model::is_stale(samples.at(dcgm("DCGM_FI_DEV_GPU_UTIL"))));
  answered();
  EXPECT_THAT(events(), ElementsAre("gpu.lost GPU-a GPU is lost (15)"));
  driver_.gpus[0].lost = false;
  EXPECT_EQ(answered().at(R"(binnacle_gpu_lost{gpu="0", uuid="GPU-a"})"), 0);
  EXPECT_THAT(events(), ElementsAre(HasSubstr("gpu.back GPU-a")));
}

TEST_F(NvidiaPartTest, AGpuThatIsNoLongerListedIsLostToo) {
  answered();
  driver_.gpus[1].listed = false;
  const Samples samples = answered();
  EXPECT_EQ(samples.at(R"(binnacle_gpu_lost{gpu="1", uuid="GPU-b"})"), 1);
  EXPECT_THAT(events(), ElementsAre(HasSubstr("gpu.lost GPU-b the driver no longer lists it")));
}

TEST_F(NvidiaPartTest, XidErrorsAreEventsAndCount) {
  answered();
  driver_.pending_xid = 79;
  answered();
  driver_.pending_xid = 79;
  answered();
  driver_.pending_xid = 48;
  const Samples samples = answered();
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_XID_ERRORS")), 48);
  EXPECT_EQ(samples.at(R"(binnacle_gpu_xid_errors_total{gpu="0", uuid="GPU-a", xid="79"})"), 2);
  EXPECT_EQ(samples.at(R"(binnacle_gpu_xid_errors_total{gpu="0", uuid="GPU-a", xid="48"})"), 1);
  EXPECT_THAT(events(),
              ElementsAre("gpu.xid GPU-a XID 79", "gpu.xid GPU-a XID 79", "gpu.xid GPU-a XID 48"));
}

TEST_F(NvidiaPartTest, TheXidThatTellsOfALossIsOfTheGpuThatIsLost) {
  answered();
  driver_.gpus[0].lost = true;
  driver_.pending_xid = 79;
  const Samples samples = answered();
  EXPECT_EQ(samples.at(R"(binnacle_gpu_xid_errors_total{gpu="0", uuid="GPU-a", xid="79"})"), 1);
  EXPECT_THAT(events(), ElementsAre("gpu.lost GPU-a GPU is lost (15)", "gpu.xid GPU-a XID 79"));
}

TEST_F(NvidiaPartTest, MigInstancesTellTheirMemory) {
  driver_.gpus[0].mig_instances = 2;
  const Samples samples = answered();
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_FB_USED", "7")), 20);
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_FB_USED", "8")), 20);
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_FB_USED")), 20 * 1024);
}

TEST_F(NvidiaPartTest, AnOldDriverTellsMemoryWithoutWhatItKeeps) {
  driver_.gpus[0].old_memory_only = true;
  const Samples samples = answered();
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_FB_FREE")), 60 * 1024);
  EXPECT_FALSE(samples.contains(dcgm("DCGM_FI_DEV_FB_RESERVED")));
}

TEST_F(NvidiaPartTest, ADriverThatHangsHoldsUpNobodyAndIsTold) {
  answered();
  watch_->wait_until_idle();
  driver_.hang = true;
  tick();  // asks, and the question stays open
  LogCapture log;
  for (int i = 0; i < 3; ++i) {
    const Samples samples = tick();
    EXPECT_EQ(samples.at("binnacle_gpu_driver_stuck"), 0);
    EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_GPU_UTIL")),
              95);  // a slow answer is not yet a missing one
  }
  tick();
  const Samples stuck = tick();
  EXPECT_EQ(stuck.at("binnacle_gpu_driver_stuck"), 1);
  EXPECT_EQ(stuck.at("binnacle_gpu_driver_stuck_total"), 1);
  EXPECT_TRUE(model::is_stale(stuck.at(dcgm("DCGM_FI_DEV_GPU_UTIL"))));
  EXPECT_THAT(events(), ElementsAre(HasSubstr("gpu.driver_stuck")));
  EXPECT_FALSE(log.lines().empty());
  release();
  const Samples again = answered();
  EXPECT_EQ(again.at("binnacle_gpu_driver_stuck"), 0);
  EXPECT_EQ(again.at("binnacle_gpu_driver_stuck_total"), 1);
  EXPECT_EQ(again.at(dcgm("DCGM_FI_DEV_GPU_UTIL")), 95);
  EXPECT_THAT(events(), ElementsAre(HasSubstr("gpu.driver_answers")));
}

TEST_F(NvidiaPartTest, StoppingDoesNotWaitForAHangingDriver) {
  answered();
  watch_->wait_until_idle();
  driver_.hang = true;
  tick();
  parts_.reset();
  release();
  // The thread that was left behind ends by itself, and touches nothing of ours.
}

TEST_F(NvidiaPartTest, ADriverThatRefusesIsAFailureUntilItServes) {
  driver_.init_result = 9;
  Samples samples = answered();
  EXPECT_FALSE(samples.contains(dcgm("DCGM_FI_DEV_GPU_UTIL")));
  driver_.init_result = 0;
  samples = answered();
  EXPECT_EQ(samples.at(dcgm("DCGM_FI_DEV_GPU_UTIL")), 95);
}

TEST(GpuParts, AMachineWithoutADriverSaysSoOnceAndHasNoParts) {
  const SimulatedClock clock;
  const host::RecordedTree tree;
  LogCapture log;
  GpuOptions options;
  options.nvml_library = "libbinnacle-none.so.1";
  EXPECT_TRUE(
      gpu_parts(options, tree.options(), real_file_system(), clock, nullptr, nullptr).empty());
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_THAT(log.lines()[0], HasSubstr("no NVIDIA GPU is watched"));
  EXPECT_THAT(log.lines()[0], HasSubstr(R"("level":"info")"));
}

TEST(AmdgpuPart, TellsWhatSysfsHasInAmdsNames) {
  const host::RecordedTree tree;
  const std::string device = "sys/class/drm/card1/device/";
  tree.write("sys/class/drm/card0/device/vendor", "0x8086\n");
  tree.write("sys/class/drm/card1-DP-1/status", "connected\n");
  tree.write(device + "vendor", "0x1002\n");
  tree.write(device + "product_name", "Instinct MI300X\n");
  tree.write(device + "gpu_busy_percent", "87\n");
  tree.write(device + "mem_info_vram_total", "206141652992\n");
  tree.write(device + "mem_info_vram_used", "1048576\n");
  tree.write(device + "hwmon/hwmon3/power1_average", "250000000\n");
  tree.write(device + "hwmon/hwmon3/temp1_input", "45000\n");
  ASSERT_TRUE(has_amdgpu(real_file_system(), tree.path("sys")));
  host::PartRunner runner(amdgpu_part(real_file_system(), tree.path("sys")));
  const auto name = [](const std::string& metric) {
    return metric + R"({card_model="Instinct MI300X", gpu_id="1"})";
  };
  EXPECT_EQ(runner.run(), (Samples{{name("gpu_gfx_activity"), 87},
                                   {name("gpu_total_vram"), 196592},
                                   {name("gpu_used_vram"), 1},
                                   {name("gpu_average_package_power"), 250},
                                   {name("gpu_edge_temperature"), 45}}));
  EXPECT_TRUE(runner.succeeded());
  tree.write(device + "gpu_busy_percent", "busy\n");
  EXPECT_EQ(runner.run().at(name("gpu_used_vram")), 1);
  EXPECT_FALSE(runner.succeeded());
}

}  // namespace
}  // namespace binnacle::collect::gpu
