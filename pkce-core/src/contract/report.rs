//! The report of the suite: one finding for each case.

use std::fmt;

/// The findings of all cases. Its `Display` is a table with one line for each case and the details of each fault.
#[derive(Debug, Clone)]
#[must_use = "an unread report proves nothing: call `assert_passed`"]
pub struct Report(Vec<Finding>);

/// A case of the suite and its outcome.
#[derive(Debug, Clone)]
pub struct Finding {
    family: &'static str,
    case: &'static str,
    outcome: Outcome,
}

/// The outcome of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store kept the contract.
    Passed,
    /// The store broke the contract, returned an error, panicked or did not return.
    Failed {
        /// The step, and what the contract demands of it.
        expected: String,
        /// What the store did.
        seen: String,
    },
    /// The case could not tell.
    Inconclusive {
        /// Why it could not tell, and what to change.
        why: String,
    },
}

impl Report {
    pub(super) const fn new(findings: Vec<Finding>) -> Self {
        Self(findings)
    }

    /// Returns every case that ran, in the order of the suite.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// Returns the cases in which the store broke the contract.
    pub fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| matches!(finding.outcome, Outcome::Failed { .. }))
    }

    /// Returns the cases that could not tell.
    pub fn inconclusive(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| matches!(finding.outcome, Outcome::Inconclusive { .. }))
    }

    /// Whether every case passed. An inconclusive case has not passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.0.iter().all(|finding| finding.outcome == Outcome::Passed)
    }

    /// Asserts that every case passed.
    ///
    /// # Panics
    ///
    /// When a case failed or was inconclusive, with the findings of those cases.
    #[track_caller]
    #[expect(clippy::panic, reason = "it is an assertion, to be called in a test")]
    pub fn assert_passed(&self) {
        if !self.passed() {
            let open = self.0.iter().filter(|finding| finding.outcome != Outcome::Passed).cloned().collect();
            let verdict = if self.failed().next().is_some() {
                "the store does not keep the contract"
            } else {
                "the machine was too busy to tell whether the store keeps the contract"
            };
            panic!("{verdict}\n{}\n{}", Self(open).table(), self.summary());
        }
    }

    fn table(&self) -> String {
        self.0.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
    }

    fn summary(&self) -> String {
        let (failed, inconclusive) = (self.failed().count(), self.inconclusive().count());
        format!("{} passed, {failed} failed, {inconclusive} inconclusive", self.0.len() - failed - inconclusive)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.table(), self.summary())
    }
}

impl Finding {
    pub(super) const fn new(family: &'static str, case: &'static str, outcome: Outcome) -> Self {
        Self { family, case, outcome }
    }

    /// Returns the family of the case, such as `redeem` or `race`.
    pub const fn family(&self) -> &'static str {
        self.family
    }

    /// Returns the name of the case: a sentence that must be true of the store.
    pub const fn case(&self) -> &'static str {
        self.case
    }

    /// Returns the outcome of the case.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, case, outcome } = self;
        let word = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed { .. } => "FAILED",
            Outcome::Inconclusive { .. } => "INCONCLUSIVE",
        };
        write!(f, "{word:<12}  {family:<9}  {case}")?;
        match outcome {
            Outcome::Passed => Ok(()),
            Outcome::Failed { expected, seen } => {
                write!(f, "\n{:14}expected: {expected}\n{:14}seen:     {seen}", "", "")
            }
            Outcome::Inconclusive { why } => write!(f, "\n{:14}because:  {why}", ""),
        }
    }
}

impl Outcome {
    pub(super) fn of(steps: Result<(), Self>) -> Self {
        steps.err().unwrap_or(Self::Passed)
    }

    pub(super) fn failed(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Failed { expected: expected.into(), seen: seen.into() }
    }

    /// An outcome that is not the fault of the store.
    pub(super) fn inconclusive(why: &impl ToString) -> Self {
        Self::Inconclusive { why: why.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(vec![
            Finding::new("insert", "a binding is recorded", Outcome::Passed),
            Finding::new("redeem", "a wrong proof is refused", Outcome::failed("Refused", "First")),
            Finding::new("race", "one wins", Outcome::inconclusive(&"nobody met")),
        ])
    }

    #[test]
    fn a_report_reads_as_a_table() {
        assert_eq!(
            report().to_string(),
            "passed        insert     a binding is recorded\n\
             FAILED        redeem     a wrong proof is refused\n              \
             expected: Refused\n              \
             seen:     First\n\
             INCONCLUSIVE  race       one wins\n              \
             because:  nobody met\n\
             1 passed, 1 failed, 1 inconclusive"
        );
    }

    #[test]
    #[should_panic(
        expected = "the machine was too busy to tell whether the store keeps the contract\nINCONCLUSIVE  race"
    )]
    fn an_inconclusive_case_is_not_a_passed_one() {
        let report = Report(report().0.into_iter().filter(|finding| finding.family() != "redeem").collect());
        assert!(!report.passed());
        report.assert_passed();
    }
}
