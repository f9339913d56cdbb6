// Prints the trace of a small run, in bulk, with C++'s library alone:
// c++ -std=c++17 emit.cpp -o emit && ./emit > run.jsonl
#include <chrono>
#include <cstdio>
#include <string>

const auto began = std::chrono::steady_clock::now();
int seq = 0, step = -1;

template <class... Values>
void emit(const std::string& event, Values... values) {  // its name and fields as JSON, values as printf has them
    const std::chrono::nanoseconds ns = std::chrono::steady_clock::now() - began;
    const std::string line = R"({"seq":%d,"step":%d,"ns":%lld,"event":)" + event + "}\n";
    std::printf(line.c_str(), seq++, step, static_cast<long long>(ns.count()), values...);
}

void serve(const char* task, int prompt, int answer) {  // tokens that come, and tokens that go
    const int end = prompt + answer, n = (end + 2) / 4, top = n - 1;  // all pages that it will need, from the start
    emit(R"("task_submitted","task":"%s","prompt_len":%d,"max_tokens":%d)", task, prompt, answer);
    for (int known = prompt; known < end; ++known) {
        const bool first = known == prompt, last = known == end - 1;
        ++step;
        emit(R"("step_begin")");
        if (first) {
            emit(R"("pages_alloc","task":"%s","runs":[[0,%d]],"logical":0,"refs":1,"free":%d)", task, n, 64 - n);
            emit(R"("task_admitted","task":"%s","tokens":%d,"n_pages":%d)", task, prompt, n);
        }
        emit(R"("kv_lengths","tasks":["%s"],"counts":%d)", task, first ? prompt : 1);
        if (first) emit(R"("task_prefilled","task":"%s","start":0,"end":%d)", task, prompt);
        emit(R"("tokens","tasks":["%s"],"source":"%s")", task, first ? "prefill" : "decode");
        if (last) {
            emit(R"("task_finished","task":"%s","reason":"length","tokens":%d,"generated":%d)", task, end, answer);
            emit(R"("pages_free","task":"%s","runs":[[%d,%d]],"logical":%d,"refs":0,"free":64)", task, top, -n, top);
        }
        emit(R"("step_end","waiting":0,"running":%d)", last ? 0 : 1);
    }
}

int main() {
    std::puts(R"({"type":"header","schema":"astrai-trace","version":1,"engine":{"name":"tiny-cpp"},"phases":[],)"
              R"("detail":"bulk","dtype":"float32","model":"none","scenario":{"cache":{"n_pages":64,"page_size":4},)"
              R"("model":{"n_layers":1,"n_kv_heads":1,"head_dim":8},"scheduler":{"max_batch":1}}})");
    serve("A", 9, 5);
    serve("B", 3, 7);
    std::printf("{\"type\":\"footer\",\"events\":%d,\"stopped\":\"idle\"}\n", seq);
}
