//! stub
#![allow(missing_docs)]
use rmcp::ServiceExt;
#[derive(Default, Debug)]
pub struct HttpConfig;
pub async fn serve_stdio(server: crate::mcp::Server, _: tokio_util::sync::CancellationToken) -> anyhow::Result<()> {
    server.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}
pub async fn serve_http(_: tokio::net::TcpListener, _: crate::mcp::Server, _: HttpConfig, _: tokio_util::sync::CancellationToken) -> anyhow::Result<()> { Ok(()) }
