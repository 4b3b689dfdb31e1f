'use strict'

const http = require('node:http')

/**
 * Connections that die as a dead TCP connection does, with ETIMEDOUT, only sooner.
 *
 * @param {number} afterMs silence for this long
 */
function agentWithTcpTimeout(afterMs) {
  const agent = new http.Agent()
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (...args) => {
    const socket = connect(...args)
    socket.setTimeout(afterMs, () => {
      socket.destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
    })
    return socket
  }
  return agent
}

module.exports = { agentWithTcpTimeout }
