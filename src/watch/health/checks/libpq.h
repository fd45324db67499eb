// libpq, loaded when the first check needs it: with it come Kerberos, LDAP and another TLS, which
// those who check no PostgreSQL shall not carry. Any thread.
#pragma once

#include <libpq-fe.h>

#include "base/error.h"

namespace binnacle::watch::health {

// Named as libpq names them.
struct Libpq {
  decltype(&::PQclear) PQclear;
  decltype(&::PQconnectPoll) PQconnectPoll;
  decltype(&::PQconnectStartParams) PQconnectStartParams;
  decltype(&::PQconsumeInput) PQconsumeInput;
  decltype(&::PQerrorMessage) PQerrorMessage;
  decltype(&::PQfinish) PQfinish;
  decltype(&::PQflush) PQflush;
  decltype(&::PQgetResult) PQgetResult;
  decltype(&::PQgetisnull) PQgetisnull;
  decltype(&::PQgetvalue) PQgetvalue;
  decltype(&::PQisBusy) PQisBusy;
  decltype(&::PQnfields) PQnfields;
  decltype(&::PQresultErrorMessage) PQresultErrorMessage;
  decltype(&::PQresultStatus) PQresultStatus;
  decltype(&::PQsendQueryParams) PQsendQueryParams;
  decltype(&::PQserverVersion) PQserverVersion;
  decltype(&::PQsetSingleRowMode) PQsetSingleRowMode;
  decltype(&::PQsetnonblocking) PQsetnonblocking;
  decltype(&::PQsocket) PQsocket;
  decltype(&::PQstatus) PQstatus;
};

// Loaded once and never unloaded. kFailedPrecondition: libpq is not installed, and which package
// brings it.
Result<const Libpq*> load_libpq();

}  // namespace binnacle::watch::health
