#include "collect/host/process_options.h"

namespace binnacle::collect::host {

// A program is known by the last part of its path, or by the module that Python runs.
std::vector<ProcessGroup> known_process_groups() {
  return {
      {"vllm", R"((^|[ /])vllm( serve|$)|-m vllm\.|(^|[ /])VLLM::|vllm\.entrypoints)"},
      {"sglang", R"(-m sglang\.|(^|[ /])sglang(::|[_-]router)|sglang\.launch_server)"},
      {"llama-server", R"((^|/)llama-server( |$)|llama_cpp\.server|(^|/)rpc-server( |$))"},
      {"ollama", R"((^|/)ollama( |$)|ollama_llama_server)"},
      {"text-generation-inference", R"(text-generation-(launcher|router|server))"},
      {"trtllm", R"((^|[ /])trtllm-serve|(^|/)trtllm|-m tensorrt_llm)"},
      {"triton", R"((^|/)tritonserver( |$)|(^|/)triton_python_backend_stub)"},
      {"lmdeploy", R"((^|[ /])lmdeploy( |$)|-m lmdeploy)"},
      {"mlx-lm", R"(mlx_lm[._]|mlx_lm\.server|-m mlx_lm)"},
      {"exo", R"((^|/)exo( |$)|python[0-9.]* (-\S+ )*\S*/exo( |$)|-m exo( |\.|$))"},
      {"distributed-llama", R"((^|/)dllama(-api)?( |$))"},
      {"torchrun",
       R"((^|[ /])torchrun( |$)|torch\.distributed\.(run|launch)|(^|[ /])deepspeed( |$)|)"
       R"((^|[ /])accelerate launch)"},
      {"ray", R"((^|/)(raylet|gcs_server)( |$)|^ray::|(^|[ /])ray (start|serve)|-m ray\.)"},
      {"training",
       R"(python[0-9.]* (-\S+ )*(\S*/)?(train|pretrain|finetune|sft|dpo|grpo)[a-z0-9_-]*\.py)"},
      {"binnacle", R"((^|/)binnacle(-engine)?( |$))"},
  };
}

}  // namespace binnacle::collect::host
