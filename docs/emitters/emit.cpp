// Writes the trace of a tiny run, in bulk, with C++'s library alone:
// c++ -std=c++17 emit.cpp -o emit && ./emit run.jsonl
#include <chrono>
#include <fstream>
#include <tuple>

std::ofstream out;
int seq = 0, step = -1;
const auto began = std::chrono::steady_clock::now();

template <class... Fields>
void emit(const char* event, const Fields&... fields) {  // what follows the fields of every event, as JSON
    const auto ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
    out << R"({"seq":)" << seq++ << R"(,"step":)" << step << R"(,"phase":null,"ns":)" << ns;
    out << R"(,"event":")" << event << '"';
    (out << ... << fields) << "}\n";
}

int main(int, char** argv) {
    const int n_pages = 64, size = 4;
    out.open(argv[1]);
    out << R"({"type":"header","schema":"astrai-trace","version":1,"detail":"bulk","phases":[],"clock":"real",)"
        << R"("engine":{"name":"tiny-cpp","version":"1"},"device":{"type":"cpu","name":"any"},"dtype":"float32",)"
        << R"("model":"none","scenario":{"name":"tiny","model":{"n_layers":1,"n_kv_heads":1,"head_dim":8},)"
        << R"("cache":{"n_pages":64,"page_size":4},"scheduler":{"max_batch":1}}})" << '\n';
    for (const auto& [name, prompt, answer] : {std::tuple("A", 9, 5), std::tuple("B", 3, 7)}) {
        emit("task_submitted", R"(,"task":")", name, R"(","prompt_len":)", prompt, R"(,"max_tokens":)", answer,
             R"(,"arrival_step":)", step + 1);
        int held = 0, stored = 0;  // its pages, the first ones of the pool, and its tokens in the cache
        for (int known = prompt; known < prompt + answer; stored = known++) {
            step++;
            emit("step_begin");
            if (const int needed = (known + size - 1) / size; needed > held) {
                emit("pages_alloc", R"(,"task":")", name, R"(","runs":[[)", held, ',', needed - held,
                     R"(]],"logical":)", held, R"(,"refs":1,"free":)", n_pages - needed);
                held = needed;
            }
            if (known == prompt)
                emit("task_admitted", R"(,"task":")", name, R"(","tokens":)", known, R"(,"n_pages":)", held,
                     R"(,"cached_tokens":0)");
            emit("kv_lengths", R"(,"tasks":[")", name, R"("],"counts":)", known - stored);
            if (known == prompt) emit("task_prefilled", R"(,"task":")", name, R"(","start":0,"end":)", known);
            emit("tokens", R"(,"tasks":[")", name, R"("],"source":")", known == prompt ? "prefill" : "decode", '"');
            const bool last = known + 1 == prompt + answer;
            if (last) {
                emit("task_finished", R"(,"task":")", name, R"(","reason":"length","tokens":)", known + 1,
                     R"(,"generated":)", answer);
                emit("pages_free", R"(,"task":")", name, R"(","runs":[[)", held - 1, ',', held > 1 ? -held : 1,
                     R"(]],"logical":)", held - 1, R"(,"refs":0,"free":)", n_pages);
            }
            emit("step_end", R"(,"duration_ns":0,"waiting":0,"running":)", last ? 0 : 1);
        }
    }
    out << R"({"type":"footer","events":)" << seq << R"(,"sha256":null,"stopped":"idle"})" << '\n';
}
