//! `--stop-writes FILE`: while the file is there, every write is refused, and reads go on.

use std::sync::Arc;

use fintecture_mcp::simulator::Operation;
use serde_json::{Value, json};

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::operations::{self, named};
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;

fn start(number: usize) -> Value {
    json!({"action": "start", "customer_id": "sim_cus_ada", "expected_name": format!("Number {number}")})
}

#[tokio::test]
async fn writes_stop_and_go_on_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let simulator = simulator(&[]).await;
    let setup = Setup::against(&simulator.base_url()).flag("--stop-writes").flag(file.to_str().unwrap());
    let agent = setup.agent().await;
    let mut sent = 0;
    for round in 0..3 {
        agent.good("verify_identity", start(round)).await;
        sent += 1;
        std::fs::write(&file, "").unwrap();
        for operation in operations::all().iter().filter(|operation| operation.writes()) {
            let error = agent.error(operation.tool, operation.another(round)).await;
            assert_eq!((&error["kind"], &error["outcome"]), (&json!("read_only"), &json!("not_applied")));
            assert_eq!(error["retryable"], false);
            assert!(error["message"].as_str().unwrap().contains("the operator has stopped all writes"));
        }
        // What was sent before is not answered from memory, either: stopped is stopped.
        assert_eq!(agent.error("verify_identity", start(round)).await["kind"], "read_only");
        agent.good("manage_customers", json!({"action": "get", "customer_id": "sim_cus_ada"})).await;
        agent.good("manage_customers", json!({"action": "list"})).await;
        assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), sent);
        std::fs::remove_file(&file).unwrap();
    }
    assert_eq!(agent.good("verify_identity", start(0)).await["repeated"], true, "nothing was forgotten");
    assert_eq!(simulator.effects().len(), 3);
}

#[tokio::test]
async fn a_file_that_is_there_at_the_start_counts() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::saying(json!({"id": "cus_1"})).await;
    // A folder is there, too; and one that cannot be looked into may hold the file.
    let below_a_file = folder.path().join("file");
    std::fs::write(&below_a_file, "").unwrap();
    for path in [folder.path().to_owned(), below_a_file.join("stop")] {
        let setup = Setup::against(&upstream.base_url()).flag("--stop-writes").flag(path.to_str().unwrap());
        let server = setup.http().await;
        for agent in [server.agent().await, server.agent_over_legacy_sse().await] {
            let create = named("createCustomer");
            assert_eq!(agent.error(create.tool, create.arguments).await["kind"], "read_only");
            // Before the arguments are looked at.
            let error = agent.error("manage_customers", json!({"action": "create", "nonsense": 1})).await;
            assert_eq!(error["kind"], "read_only");
            let wrong = agent.error("manage_customers", json!({"action": "get"})).await;
            assert_eq!(wrong["kind"], "invalid_input", "a read is as always");
        }
    }
    assert_eq!(upstream.count().await, 0);
}

/// A write that is under way when the file appears is not torn: its outcome is told.
#[tokio::test]
async fn a_write_under_way_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let mut upstream = Faulty::with(Fault::Hang).await;
    let setup = Setup::against(&upstream.base_url()).flag("--stop-writes").flag(file.to_str().unwrap());
    let agent = Arc::new(setup.agent().await);
    let calling = Arc::clone(&agent);
    let call = tokio::spawn(async move { calling.good("verify_identity", start(0)).await });
    upstream.has_got(1).await;
    std::fs::write(&file, "").unwrap();
    assert_eq!(agent.error("verify_identity", start(1)).await["kind"], "read_only");
    let done = answer("200 OK", br#"{"id":"ver_1"}"#);
    upstream.now(Fault::Bytes(done));
    assert_eq!(call.await.unwrap()["verification"]["id"], "ver_1");
    assert_eq!(upstream.count(), 1);
}
