//! Pods as far as their metrics go: a real HTTP server each, and a real Prometheus that scrapes them.

use plimsoll_real::{Server, free_port};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A page of metrics that is served until this is dropped.
pub struct Pod {
    port: u16,
    page: Arc<Mutex<String>>,
    is_over: Arc<AtomicBool>,
}

impl Pod {
    /// Serves a page.
    pub fn serve(page: &str) -> Pod {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let pod = Pod {
            port: listener.local_addr().expect("its address").port(),
            page: Arc::new(Mutex::new(page.to_string())),
            is_over: Arc::default(),
        };
        let (page, is_over) = (pod.page.clone(), pod.is_over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let page = page.lock().expect("a page").clone();
                // Who asks may have gone away.
                let _ = stream.and_then(|stream| answer(stream, &page));
            }
        });
        pod
    }

    /// So much memory in MB, so many with video, and experimenters; nobody is without video.
    pub fn page(memory_mb: u64, with_video: u64, experimenters: u64) -> String {
        format!(
            "# HELP hyperstudy_active_users_online Users online\n\
             # TYPE hyperstudy_active_users_online gauge\n\
             hyperstudy_active_users_online{{role=\"participant\",video_enabled=\"true\"}} {with_video}\n\
             hyperstudy_active_users_online{{role=\"participant\",video_enabled=\"false\"}} 0\n\
             hyperstudy_active_users_online{{role=\"experimenter\",video_enabled=\"false\"}} {experimenters}\n\
             process_resident_memory_bytes {memory_mb}000000\n\
             process_start_time_seconds 1700000000.25\n\
             socket_io_connected {}\n\
             hyperstudy_app_info{{version=\"1.4.2\"}} 1\n\
             nodejs_version_info{{version=\"v20.1.0\"}} 1\n",
            with_video + experimenters
        )
    }

    /// Another page from now on.
    pub fn show(&self, page: &str) {
        *self.page.lock().expect("a page") = page.to_string();
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.port)
    }

    /// What it is called where several have this host.
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A Prometheus that scrapes these pods each second, and more.
    pub fn collected(folder: &Path, pods: &[(&Pod, &str)], more: &[String]) -> Server {
        let pod = |(pod, name): &(&Pod, &str)| {
            format!("    - {{targets: ['127.0.0.1:{}'], labels: {{pod: {name}}}}}\n", pod.port)
        };
        let pods: String = pods.iter().map(pod).collect();
        let own_port = free_port();
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: app\n    static_configs:\n{pods}\
             \x20\x20- job_name: prometheus\n    static_configs: [{{targets: ['127.0.0.1:{own_port}'], labels: {{pod: prometheus-0}}}}]\n{}",
            more.concat()
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).expect("prometheus.yml");
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("blocks").display()),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let listen = |_| vec![format!("--web.listen-address=127.0.0.1:{own_port}")];
        let is_ready = |_| {
            let answer = ureq::get(format!("http://127.0.0.1:{own_port}/-/ready")).call();
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        let mut server = Server::start_until("prometheus", &arguments, listen, is_ready);
        server.url = format!("http://127.0.0.1:{own_port}");
        server
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // So that it sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer(mut stream: TcpStream, page: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(page.as_bytes())
}
