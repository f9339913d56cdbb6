// Prints the trace of a small run, in bulk, with C++'s library alone:
// c++ -std=c++17 emit.cpp -o emit && ./emit > run.jsonl
#include <chrono>
#include <cstdio>
#define EMIT(e, ...) std::printf(R"({"seq":%d,"step":%d,"ns":%lld,"event":)" e "}\n", seq++, step, ns(), ##__VA_ARGS__)

int main() {
    using std::chrono::steady_clock, std::chrono::nanoseconds;
    const auto ns = [t = steady_clock::now()] { return nanoseconds(steady_clock::now() - t).count() + 0LL; };
    std::puts(R"({"type":"header","schema":"astrai-trace","version":1,"engine":{"name":"tiny-cpp"},"phases":[],)"
              R"("detail":"bulk","dtype":"float32","model":"none","scenario":{"cache":{"n_pages":64,"page_size":4},)"
              R"("model":{"n_layers":1,"n_kv_heads":1,"head_dim":8},"scheduler":{"max_batch":1}}})");
    int seq = 0, step = 0;
    // A request is its name, its tokens when it comes and when it ends, and its pages; it gets a token a step.
    const struct { const char* id; int in, all, n; } requests[] = {{"A", 9, 14, 4}, {"B", 3, 10, 3}};
    for (const auto& [id, in, all, n] : requests)
        for (int known = in; known < all; ++known, ++step) {
            const bool first = known == in, last = known == all - 1;
            EMIT(R"("step_begin")");
            if (first) EMIT(R"("task_submitted","task":"%s","prompt_len":%d,"max_tokens":%d,"arrival_step":%d)", id, in,
                            all - in, step);
            if (first) EMIT(R"("pages_alloc","task":"%s","runs":[[0,%d]],"logical":0,"refs":1,"free":%d)", id, n,
                            64 - n);
            if (first) EMIT(R"("task_admitted","task":"%s","tokens":%d,"n_pages":%d)", id, in, n);
            EMIT(R"("kv_lengths","tasks":["%s"],"counts":%d)", id, first ? in : 1);
            if (first) EMIT(R"("task_prefilled","task":"%s","start":0,"end":%d)", id, in);
            EMIT(R"("tokens","tasks":["%s"],"source":"%s")", id, first ? "prefill" : "decode");
            if (last) EMIT(R"("task_finished","task":"%s","reason":"length","tokens":%d,"generated":%d)", id, all,
                           all - in);
            if (last) EMIT(R"("pages_free","task":"%s","runs":[[%d,%d]],"logical":%d,"refs":0,"free":64)", id, n - 1,
                           -n, n - 1);
            EMIT(R"("step_end","waiting":0,"running":%d)", !last);
        }
    std::printf("{\"type\":\"footer\",\"events\":%d,\"stopped\":\"idle\"}\n", seq);
}
