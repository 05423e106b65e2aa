//! `docs/performance.md`, and what is printed while it is made.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use crate::plot::Plot;

pub struct Page {
    folder: PathBuf,
    text: String,
    begun: Instant,
}

impl Page {
    pub fn new(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).expect("a folder for the page");
        Self {
            folder,
            text: String::new(),
            begun: Instant::now(),
        }
    }

    /// For whoever waits; not on the page.
    pub fn progress(&self, what: &str) {
        eprintln!("[{:4} s] {what}", self.begun.elapsed().as_secs());
    }

    pub fn heading(&mut self, words: &str) {
        self.add(&format!("\n## {words}\n"));
    }

    pub fn subheading(&mut self, words: &str) {
        self.add(&format!("\n### {words}\n"));
    }

    pub fn say(&mut self, words: &str) {
        self.add(&format!("\n{words}\n"));
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.add(&table(head, rows));
    }

    /// A plot in a file of this name.
    pub fn plot(&mut self, name: &str, plot: &Plot) {
        let file = format!("performance_{name}.svg");
        if plot.write(&self.folder.join(&file)) {
            self.add(&format!("\n![{}]({file})\n", plot.title));
        }
    }

    fn add(&mut self, text: &str) {
        print!("{text}");
        self.text.push_str(text);
    }

    pub fn write(self, head: &str, aims: &str) {
        let path = self.folder.join("performance.md");
        fs::write(&path, format!("{head}{aims}{}", self.text)).expect("the page can be written");
        println!("\n{aims}");
        eprintln!(
            "[{:4} s] written: {}",
            self.begun.elapsed().as_secs(),
            path.display()
        );
    }
}

pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}
