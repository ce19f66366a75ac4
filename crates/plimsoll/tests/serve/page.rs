//! The page is there for who has no token, whether it was built or not; what it asks for is not.

use crate::Place;
use serde_json::json;

#[test]
fn the_page_needs_no_token_and_what_it_asks_for_does() {
    let place = Place::new("");
    let file = place.folder.path().join("tokens.yaml");
    let entry = json!({"name": "one", "scope": "read", "sha256": "0".repeat(64)});
    std::fs::write(&file, json!({"tokens": [entry]}).to_string()).expect("tokens");
    let served = place.serve(&["--tokens", &file.to_string_lossy()]);
    let page = served.get("/");
    let text = page.body.as_str().expect("a page");
    assert!(page.status == 200 && text.contains("<title>Plimsoll capacity</title>"), "{page:?}");
    assert!(text.contains("/assets/page-") || text.contains("make page"), "{text}");
    let missing = served.get("/assets/none.js");
    assert_eq!((missing.status, &missing.body["code"]), (404, &json!("not-found")));
    assert_eq!(served.get("/api/capacity/status").status, 401);
}
