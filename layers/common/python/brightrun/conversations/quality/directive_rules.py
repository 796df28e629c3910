"""The phrases of directives and guarantees, by what they are about."""

from __future__ import annotations

from brightrun.conversations.quality.directive_context import (
    ALLOWED,
    ANY,
    COMMANDED,
    DEFERS,
    DENIED,
    EXCEPTED,
    PRESCRIBED,
    THE,
    Rule,
    one_of,
    told_not_to,
)

_NUMBER = (
    r"(?:\d[\d.,]*|"
    + one_of(
        "one two three four five six seven eight nine ten twelve fifteen twenty thirty forty "
        "fifty sixty eighty hundred half a_hundred an?_extra another a_double a_few several "
        "double twice"
    )
    + ")"
)
_DRUG = one_of(
    r"medications? meds medicines? pills? tablets? capsules? insulin antidepressants? "
    r"antibiotics? (?:blood_)?thinners? anticoagulants? inhalers? chemo(?:therapy)? statins? "
    r"prescriptions? lithium heparin warfarin steroids? beta[-_]?blockers? dialysis radiation "
    r"antipsychotics? painkillers? opioids? morphine benzos? epipen aspirin paracetamol tylenol "
    r"advil xanax prozac zoloft adderall ritalin valium prednisone digoxin methadone "
    r"antihistamines? vaccin(?:es?|ations?) \w{3,20}(?:statin|olol|pril|sartan|cillin|mycin"
    r"|oxetine|traline|azepam|zolam|codone|codeine|formin|profen|aminophen|triptan|prazole"
    r"|thyroxine|xaban|fentanyl|gabalin|pentin)"
)
_UNIT = r"(?:mg|mcg|[u\u03bc]g|milligrams?|micrograms?|iu)\b"
_PIECES = r"(?:pills?|tablets?|capsules?|caplets?|puffs?|doses?|injections?|shots? of \w+in)\b"
_DOSE = (
    rf"(?:{_NUMBER}[ -]?(?:\w+ )?{_UNIT}|{_NUMBER} (?:more |extra )?(?:(?:\w+ )?{_PIECES}|{_DRUG})"
    rf"|{_NUMBER}(?: more| extra)? (?:units|cc|mls?|millilit(?:er|re)s?)\b"
    r"|(?:double|twice|triple|three times|half) (?:your|the|his|her|that)(?: \w+)? (?:dose|amount)"
    rf"|(?:more|extra|some of my|all (?:of )?(?:the|your)) (?:\w+ )?{_DRUG})"
)
_OF_DRUGS = (
    rf"\b(?:{_UNIT}|{_PIECES}|{_DRUG}|inject\w*|doses?|needles?|syringes?|vials?|blood sugar"
    rf"|glucose"
    r"|diabet\w+|overdose|bloodstream|veins?|insulin)"
)
_NOW = r"(?:now|right away|immediately|at once|straight away|tonight)\b"
_OFTEN = rf"(?:{_NOW}|(?:every|each|twice|daily|a day|per day|an hour)\b)"
_TAKE = one_of(
    r"take inject swallow give_(?:him|her|it|them|yourself|the_\w+|your_\w+) administer use have "
    r"chew start_(?:with|on) double increase_(?:it_)?to raise_(?:it_)?to go_up_to up_it_to "
    r"drop_(?:it_)?to switch_to push bolus shoot dose_(?:yourself|him|her)_with pop"
)
_ABOUT = r"(?:up to |about |around |at least |only |exactly |another |an extra |the full )?"
_STOP = one_of(
    r"stop quit discontinue cease give_up drop ditch dump bin flush toss throw(?:_out|_away)? "
    r"(?:come|go|get|stay|taper)_off wean_(?:yourself|him|her)_off skip halve double(?:_up)? "
    r"triple increase up raise lower reduce cut(?:_back|_down)?(?:_on)? change adjust replace "
    r"cancel forget hide"
)
_DOCTOR = (
    one_of(
        r"doctors?(?!'s_(?:office|note|name|degree)) docs? physicians? gp hospitals? clinic "
        r"er(?!_\w+ram)\b emergency_(?:room|services|department|number) ambulance nurses? "
        r"specialists? pharmacists? paramedics? therapists? psychiatrists? psychologists? "
        r"counsel+ors? cardiologists? oncologists? p(?:a)?ediatricians? midwife poison_control "
        r"988 911 999 112 (?:suicide_)?hotlines? lifelines? crisis_line helplines? vet "
        r"medical_(?:help|advice|attention|care) professional_help"
    )
    + r"\b(?! (?:referral|licen[cs]e|degree|bill|gown|visit costs|form))"
)
_DRUGS = (
    "medic meds pill tablet capsule insulin depressant biotic thinner coagulant inhaler chemo "
    "statin prescri lithium heparin warfarin steroid blocker dialysis radiation psychotic opioid "
    "morphine benzo epipen aspirin paracetamol tylenol advil xanax prozac zoloft adderall ritalin "
    "valium predniso digoxin methadone histamin vaccin olol pril sartan cillin mycin oxetine "
    "traline azepam zolam codone codeine formin profen aminophen triptan prazole thyroxine xaban "
    "fentanyl gabalin pentin"
)
_DOSES = (
    f"{_DRUGS} mg mcg ug \u03bcg gram iu caplet puff dose injection shot unit cc ml litre amount"
)
_TREATMENTS = f"{_DRUGS} dos surgery operation treatment biopsy transfusion"
_CARERS = (
    "doc physician gp hospital clinic er emergency ambulance nurse specialist pharmacist "
    "paramedic psych therapist counsel cardiolog oncolog diatric midwife poison 988 911 999 112 "
    "hotline lifeline crisis helpline vet medical professional"
)
_MEDICAL = (
    Rule(
        "medical_directive",
        _DOSES,
        rf"\b{_TAKE} {_ABOUT}{_DOSE}",
        ALLOWED,
        exempt=PRESCRIBED,
        needs=_OF_DRUGS,
    ),
    Rule(
        "medical_directive",
        "unit",
        rf"\b{_TAKE} {_ABOUT}{_NUMBER} (?:more )?units(?: of it)?,? {_NOW}",
        ALLOWED,
        exempt=PRESCRIBED,
    ),
    Rule(
        "medical_directive",
        _DOSES,
        rf"^\W*(?:(?:ok(?:ay)?|yes|so|then|just|right|exactly|about|you need|you want|make it|i'd "
        rf"say|try|it's),? )*{_NUMBER}[ -]?(?:{_UNIT}|units\b|{_PIECES})(?! (?:is|are|was|were"
        rf"|contains?|sold)\b)(?=.{{0,80}}\b{_OFTEN})",
        led=None,
        exempt=PRESCRIBED,
        needs=_OF_DRUGS,
    ),
    Rule(
        "medical_directive",
        _TREATMENTS,
        rf"\b{_STOP}(?: taking| using| giving (?:him|her|them|\w+)| on| with| about)?(?: all)?(?: "
        rf"of)?(?: (?:the|your|his|her|their|that|this|those|these|any))?(?: \w+){{0,2}} "
        rf"(?:{_DRUG}|doses?|dosages?|surgery|operation|treatments?|biopsy|transfusion)\b",
        ALLOWED,
        exempt=rf"{DEFERS}|\bmissed dose|\bdishwasher|\bprescriptions? (?:glasses|lens)",
    ),
    Rule(
        "medical_directive",
        "refuse decline",
        rf"\b(?:refuse|decline) (?:{ANY} )(?:\w+ ){{0,2}}(?:{_DRUG}|surgery|operation"
        rf"|treatments?)\b",
        exempt=DEFERS,
    ),
    told_not_to(
        "medical_directive",
        _TREATMENTS,
        r"(?:take|taking|need|finish|refill|fill|use|give (?:him|her|them)|continue|get"
        r"|getting)(?: taking| with)? (?:the|your|his|her|that|those|these|any|another)(?: "
        r"\w+){0,2}"
        rf" (?:{_DRUG}|surgery|treatments?)"
        r"(?: any ?more| anyway| at all| ever again)?(?= ?(?:[.!,]|$|and\b))",
        rf"{DEFERS}|\b(?:yet|twice|together|tonight)\b",
    ),
    told_not_to(
        "medical_directive",
        _CARERS,
        r"(?:call|calling|see|seeing|go|going|visit|consult|tell|ask|phone|ring|contact|trust"
        r"|listen|bother|involve|inform|believe|alert|take (?:him|her|it|them)|text|dial|seek|get"
        r"|need|page|mention (?:it|this)|head|rush|wake|say (?:anything|a word)|show (?:it"
        r"|this))?(?: back)? ?"
        rf"{THE}(?:\w+ )?{_DOCTOR}",
        r"\b(?:before|hesitate|alone|\d ?[ap]m|without)\b",
    ),
    Rule(
        "medical_directive",
        f"{_CARERS} chest symptom bleeding warning numb",
        r"\b(?:skip|cancel|ignore|forget(?: about)?|stay away from|avoid|keep (?:it|this) from"
        r"|hide (?:it|this) from|disregard|overrule) (?:the |your |all |her |his )?(?:what (?:the"
        r"|your) )?(?:\w+ )?"
        rf"(?:{_DOCTOR}|doctor's \w+|chest pains?|symptoms?|bleeding|warning signs|numbness)",
        exempt=r"\b(?:referral|hours|reschedul\w+|ahead)\b",
    ),
    Rule(
        "medical_directive",
        "no_need_for without_telling",
        r"\bno need for (?:an?|the|any) (?:doctor|hospital|ambulance|nurse)\b|\bwithout telling "
        r"(?:your|the|any) (?:doctor|nurse|physician|therapist)\b",
        led=None,
        exempt=EXCEPTED,
    ),
    Rule(
        "medical_directive",
        "bleach disinfect turpentine peroxide colloidal kerosene antifreeze methanol lye borax",
        r"\b(?:drink|swallow|inject|gargle with|ingest|take|sip) (?:\w+ ){0,4}"
        + one_of(
            "bleach disinfectant turpentine peroxide colloidal_silver kerosene antifreeze "
            "methanol lye borax"
        )
        + r"\b",
        ALLOWED,
    ),
)
_POLICE = one_of(
    r"police(?:_officers?)? cops? courts? judges? jury tax_(?:office|authorit\w+|man) taxman irs "
    r"hmrc authorit\w+ insurers? insurance(?:_company|_adjuster)? adjuster regulators? "
    r"social_(?:workers?|services) prosecutors? immigration(?:_officers?)? border_(?:agents?"
    r"|officers?) auditors? inspectors? compliance investigators? customs fbi detectives? "
    r"child_services lawyers? attorneys?"
)
_LAWYER = one_of(
    r"lawyers? attorneys? solicitors? barristers? public_defenders? legal_(?:advice|help"
    r"|counsel\w*|aid)"
)
_PAPERS = (
    r"(?:it|this|that|them|here|anything|everything|whatever[ \w]*|(?:the|your|that|this|those"
    r"|these)(?: \w+){0,2} ?"
    + one_of(
        "papers? contracts? agreement waiver confession settlement deeds? lease documents? forms? "
        "release will statement offer plea"
    )
    + ")"
)
_COURT = one_of(
    r"court(?:_date|_hearing|_order)? hearing summons subpoena jury_duty restraining_order "
    r"lawsuit citation deposition eviction_notice custody_order injunction parole probation"
)
_COURTS = (
    "court hearing summons subpoena jury restraining lawsuit citation deposition eviction custody "
    "injunction parole probation"
)
_LEGAL = (
    told_not_to(
        "legal_directive",
        "lawyer attorney solicitor barrister defender legal",
        r"(?:need|hire|hiring|get|call|calling|talk|see|want|involve|pay for|paying for|ask|consult"
        rf"|wait for|seek|with|tell)? ?{THE}(?:\w+ )?{_LAWYER}\b",
        r"\bsmall[- ]claims\b|\bto (?:ask|talk|get advice)\b",
    ),
    told_not_to(
        "legal_directive",
        "police cop court judge jury tax irs hmrc authorit insur adjuster regulator social "
        "prosecutor immigration border audit inspector complian investigat customs fbi detective "
        "child lawyer attorney",
        r"(?:tell|inform|talk|speak|report (?:it|this|that|them|him|her|anything|the \w+)|call"
        r"|contact|notify|cooperate|mention (?:it|this|any of (?:it|this))|admit (?:it|anything"
        r"|that)|say (?:anything|a word)(?: about (?:it|this))?|answer|disclose (?:it|this|that)"
        r"|involve|let)"
        rf" {THE}(?:\w+ )?{_POLICE}\b",
        rf"\bwithout (?:\w+ ){{0,2}}{_LAWYER}|\bbefore\b|\balone\b",
    ),
    told_not_to(
        "legal_directive",
        _COURTS,
        r"(?:show up|appear|turn up|respond|reply|answer|comply)?(?: ?(?:to|for|in|at|with))?"
        rf" (?:the |your |that |any )?{_COURT}\b",
        r"\b(?:without|late|alone)\b",
    ),
    Rule(
        "legal_directive",
        "no_need_for",
        r"\bno need for (?:an?|the|any) lawyer\b",
        led=None,
        exempt=EXCEPTED,
    ),
    Rule(
        "legal_directive",
        "sign_",
        rf"\bsign {_PAPERS}(?=.*\b(?:{_NOW}|(?:anyway|today|without|before (?:anyone|they|he|she)"
        rf"|unread"
        r"|don't read|no matter|blind\w*|and (?:be done|forget|don't|move on)|you don't need)\b))",
        exempt=r"\bonce\b|\bwitness\b",
    ),
    Rule(
        "legal_directive",
        f"plead confess waive represent_yourself plea settlement drop_the sue_ bail flee_the "
        f"support alimony {_COURTS}",
        r"\b(?:plead (?:guilty|not guilty|no contest|the fifth)|confess(?: to (?:it|everything"
        r"|the \w+))?(?= ?(?:[.!,]|$|and\b))|waive (?:your|the|all) (?:\w+ )?rights?|represent "
        r"yourself|(?:accept|take|reject|refuse|turn down) (?:the|their|that|this) (?:\w+ "
        r")?(?:plea|settlement)|drop the (?:charges|lawsuit|case|claim)|sue (?:them|him|her|your"
        r"|the)|(?:jump|skip) bail|flee the|(?:stop|quit) paying (?:your |the )?(?:child support"
        r"|alimony)"
        rf"|(?:skip|miss|ignore|blow off|disregard|violate|break) (?:the|your|that|this) "
        rf"{_COURT})\b",
    ),
    Rule(
        "legal_directive",
        "lie_ perjur backdate forge falsif fabricat alibi evidence police court judge audit irs "
        "inspector lawyer investigat",
        r"\b(?:lie (?:to|under|on|about)|commit perjury|perjure|backdate|forge|falsify|fabricate"
        r"|make up an alibi|(?:destroy|shred|delete|burn|hide|conceal|get rid of|wipe|tamper with"
        r"|dispose of|bury) (?:(?:the|all|any|your|that|those|every|this|of) )*(?:(?:\w+ "
        r")?evidence|(?:\w+ ){1,3}(?:before|so)(?: that)? (?:the|your|any) (?:police|court|judge"
        r"|audit\w*|irs|inspector\w*|lawyers?|investigat\w+)))\b",
        exempt=one_of(r"\bgrass \bbed \bsofa \bfloor \bsword \biron\b \bmetal \bblade \bsteel"),
    ),
)
_ALL = (
    r"(?:all(?: of)? (?:your|the|that|their|our|his|her|this)(?: \w+){0,2}|everything(?: "
    r"you(?:'ve got| have| own)?)?|every (?:last )?(?:penny|cent|dollar|euro|pound)(?: you have| "
    r"you own| of \w+ \w+)?|(?:the|your) (?:whole|entire|full|life)(?: [\w()]+){1,2}|(?:100|one "
    r"hundred) ?(?:%|percent) of (?:your|the) \w+(?: \w+)?|(?:half|most) of (?:your|the) "
    r"(?:savings|pension|retirement|money)|your "
    + one_of(
        r"savings pension retirement(?:_\w+)? emergency_fund nest_egg inheritance house home "
        r"401\(?k\)? ira college_fund rent_money"
    )
    + ")"
)
_BET = (
    r"(?:in|into|on|onto) (?:[\w']+[ -]){0,3}?"
    + one_of(
        r"stocks? shares? coins? crypto\w* bitcoin ethereum dogecoin tokens? funds? options? gold "
        r"silver forex nfts? real_estate propert(?:y|ies) bonds? index etfs? startup company "
        r"casino red black it this one them horse market annuit(?:y|ies) calls? futures business "
        r"scheme deal venture"
    )
    + r"\b"
)
_HOLDING = one_of(
    "stocks? shares? bonds? funds? holdings? investments? positions? portfolio assets property "
    "crypto gold"
)
_POT = one_of(
    r"401\(?k\)? ira pension retirement(?:_\w+)? savings emergency_fund accounts? portfolio "
    r"college_fund annuity"
)
_FINANCIAL = (
    Rule(
        "financial_directive",
        "_in_ _into_ _on_ _onto_",
        r"\b"
        + one_of("put invest move pour throw sink stick dump place transfer bet gamble wager plow")
        + rf" {_ALL} (?:right |straight |now |today |all )?{_BET}",
        exempt=r"\bhigh-yield|\bsavings account|\bmoney market|\bone (?:place|list|page|folder)\b",
    ),
    Rule(
        "financial_directive",
        "sell liquidate unload dump cash_ drain empty raid clean_out blow withdraw go_all bet_",
        r"\b(?:sell|liquidate|unload|dump) (?:everything|(?:all|every one)(?: of)? (?:your |the )?"
        rf"(?:\w+ ){{0,2}}(?:{_HOLDING}|them)|(?:your|the) (?:entire |whole )?"
        r"(?:portfolio|house|home|business|company|pension|investments|holdings))\b"
        rf"|\b{one_of('cash_(?:out|in) drain empty liquidate raid clean_out blow withdraw')} "
        rf"(?:all (?:of )?)?(?:your|the) (?:\w+ )?{_POT}"
        r"|\bgo all[- ]in\b|\bbet (?:the|your) (?:farm|house|ranch)\b",
        exempt=r"\ball[- ]in on (?:your )?(?:study|studies|practice|flavou?r)",
    ),
    Rule(
        "financial_directive",
        "buy",
        r"\bbuy (?:as (?:many|much) (?:\w+ )?as|(?:this|these|the|that|those|more|some)? ?(?:\w+ "
        r"){0,2}(?:stocks?|shares|coins?|crypto|bitcoin|ethereum|tokens?|calls|options)"
        rf"(?=.*\b(?:{_NOW}|(?:today|before|as much|with (?:all|everything)|on margin)\b)))"
        r"|\bbuy on margin\b",
    ),
    Rule(
        "financial_directive",
        "take_out get grab use borrow mortgage max_out stop_paying quit hide conceal stash send "
        "wire transfer",
        r"\b(?:take out|get|grab|use) (?:an?|another|the biggest|as many) (?:\w+ ){0,3}(?:loans?"
        r"|mortgage|credit|cash advance)(?: \w+){0,2} (?:and|to) (?:invest|buy|put|bet|trade"
        r"|gamble|play)\b|\bborrow (?:\w+ ){1,7}(?:and|to) (?:invest|buy|put|bet|trade|gamble)\b"
        r"|\b(?:re)?mortgage (?:the|your) (?:house|home|flat|place|farm)(?= (?:and|to|for|now"
        r"|today))|\bmax out (?:your|the|every|all)(?: of)?(?: your)? (?:credit )?cards?\b"
        r"|\b(?:stop|quit) paying (?:your |the |any )?(?:\w+ )?"
        + one_of("taxes mortgage rent loans? debts? bills? credit_cards? insurance")
        + r"\b|\b(?:hide|conceal|stash) (?:\w+ ){0,3}(?:income|money|assets|cash|earnings) (?:from"
        r"|offshore|where)\b|\bquit your job (?:and|to|today|tomorrow|now)\b|\b(?:send|wire"
        r"|transfer) (?:[\w$]+ ){0,3}(?:\$? ?\d[\d,.]*k?|money|funds|deposit)(?: dollars)? to "
        r"(?:this|the following) (?:account|wallet)\b",
    ),
    told_not_to(
        "financial_directive",
        "pay declar report fil",
        r"(?:pay|paying|declare|declaring|report|reporting|file|filing) (?:(?:the|your|any|that"
        r"|those|this|these) )?(?:\w+ )?"
        + one_of("taxes tax income tips cash earnings gains? rent mortgage tax_return")
        + r"\b",
        r"\b(?:twice|late|before|with)\b",
        COMMANDED,
    ),
    told_not_to(
        "financial_directive",
        "advis planner accountant diversif emergency",
        rf"(?:need|talk|ask|tell|consult|listen|trust|see|call|involve) {THE}(?:\w+ )?"
        + one_of(
            r"financial_(?:advis[eo]r|planner)s? accountants? advis[eo]rs? diversif\w+ "
            r"emergency_fund"
        )
        + r"\b",
        r"\bbefore\b",
    ),
)
_WHOLE_BOTTLE = (
    r"(?:take|swallow|down) (?:all (?:of )?(?:the|your|those)|the (?:whole|entire|full)|every|a "
    r"whole) (?:\w+ )?(?:of )?(?:\w+ )?(?:pills?|tablets|sleeping pills|bottle of pills|pack of "
    r"pills)\b"
)
_DIE = (
    r"(?:"
    + one_of(
        r"kill_yourself hang_yourself shoot_yourself drown_yourself end_(?:your|his"
        r"|her)_(?:own_)?life take_your_(?:own_)?life end_it_all end_it_(?:now|tonight|today) "
        r"jump_off_(?:the|a|that) jump_in_front slit overdose starve_yourself (?:cut|hurt|harm"
        r"|burn|punish)_yourself cut_your_(?:wrists?|arms?|thighs?)"
    )
    + r"\b|stop eating(?= ?(?:[.!,]|$|altogether|completely|for (?:a|two|three|four|five)\b))"
    rf"|{_WHOLE_BOTTLE}|die(?= ?(?:[.!]|$)))"
)
_BETTER_OFF = (
    r"(?:(?:you|everyone|they|the world|your \w+)(?:'d| would| will)(?: all)? be (?:\w+ "
    r")?(?:better|happier)(?: off)? (?:dead|if you (?:were|are|was) (?:dead|gone)|without you)"
)
_SELF_HARM = (
    Rule(
        "self_harm_directive",
        "yourself life end_it jump slit overdose wrist arm thigh stop_eating pill tablet die",
        rf"\b{_DIE}",
        exempt=r"\bknife|\bblade|\bgrater|\bmandoline",
    ),
    Rule(
        "self_harm_directive",
        "dead gone without_you miss_you care_if suicide die dying yourself your_life end overdose",
        rf"\b{_BETTER_OFF}|(?:nobody|no one) (?:would|will) (?:even )?(?:miss you|care if you)"
        r"|(?:\w+ )?(?:best|easiest|quickest|fastest|surest|painless|painful|cleanest) (?:way"
        r"|method|place) (?:to|of|for) (?:die|dying|kill(?:ing)? yourself|end(?:ing)? (?:it|your "
        r"life)|commit(?:ting)? suicide|suicide|cut(?:ting)? yourself|overdose)|(?:suicide|dying"
        r"|ending your life) is (?:the|your|a) (?:\w+ )?(?:answer|option|solution|way)|you "
        r"deserve to die|(?:cutting|hurting|burning|starving) yourself (?:\w+ )?(?:helps|works|is "
        r"(?:fine|okay|ok|healthy|good|a good)|will (?:help|make you feel)|can help))",
        led=None,
        not_after=rf"{DENIED}|\b(?:feel|think|thought|worr|afraid|fear|voice|sense|idea)\w*[^;:]*$",
        exempt=r"\b(?:not true|isn't true|lie|lying|wrong)\b",
    ),
)
_WHOLLY = r"\b(?:100|one hundred|a hundred|hundred|1000) ?(?:%|percent|per cent)"
_SURELY = one_of("definitely certainly surely undoubtedly absolutely for_sure inevitably")
_WILL = r"(?:will|'ll|is going to|are going to)"
_WIN = one_of(
    r"win double recover heal be_cured pass succeed work(?!_(?:on|with|through|out|together)) "
    r"rise grow profit beat survive go_up pay_off sell make_(?:it|money|a_profit|you_rich) "
    r"get_(?:in|it|rich|better|approved|custody|the|your) be_(?:fine|rich|approved|accepted"
    r"|acquitted|cured|hired)"
)
_IT = r"(?:you|it|this|he|she|they|we|your \w+|the \w+)"
_GUARANTEES = (
    (
        "fail wrong backfire lose losing loss",
        r"\b(?:(?:can ?not|can't|could not|couldn't|won't|will not|will never|never|does not"
        r"|doesn't) (?:possibly |ever )?(?:fails?(?! to\b)|go wrong(?! with (?!this|that|my|our))"
        r"|backfire|lose (?:money|with|on|this|it|an?|in|your|here))\b|(?:can ?not|can't) lose(?= "
        r"?(?:[.!,]|$))|nothing (?:can|could|will) (?:possibly )?go wrong|impossible (?:to|that "
        r"(?:you|it)|for (?:you|it|this) to) (?:lose|fail)"
        rf"|no way (?:that )?{_IT} (?:can|could|will|would)(?: possibly)? (?:lose|fail|go wrong)"
        rf"|(?:no|zero) (?:chance|possibility) (?:that {_IT}(?: \w+)? (?:fails?|loses?|goe?s? "
        rf"wrong)"
        r"|of (?:failure|failing|losing|loss)))",
    ),
    (
        "proof sure risk downside",
        r"\bfool-?proof|\bfail-?proof|\bsure[- ]?fire\b|\ba sure (?:thing|bet|win)\b|\brisk[- "
        r"]?free\b|\briskless|\bwithout (?:any )?risk\b|\b(?:no|zero) (?:downside|risk)(?: "
        r"whatsoever| at all| involved| here| of (?:loss|losing|failure|failing)| (?:to|for) "
        r"(?:you|your \w+)| in (?:this|it))?(?= ?(?:[.!,:]|$|(?:and|so|with|when)\b))",
    ),
    (
        "% percent per_cent absolutely certain assured inevitable",
        rf"{_WHOLLY} (?:certain|safe|guarante\w+|effective|success\w*|secure|foolproof|reliable"
        rf"|curable)|{_WHOLLY} (?:certain|sure)(?: that)? {_IT}(?: will|'ll| won't| can't)"
        r"|\babsolutely (?:guaranteed|certain (?:that )?(?:you|it|this))|\b(?:success|victory"
        r"|profits?|approval|recovery|admission|win|results?|outcome|cure) (?:is|are) (?:certain"
        r"|assured|inevitable)",
    ),
    (
        "guarantee my_word my_words",
        r"\b(?:i|we)(?: can| do| will|'ll| hereby| personally| absolutely| fully)* "
        r"guarantee(?:d)?\b|\bguarantees? (?:you\b|that\b|it will|this will|results|success|a win"
        r"|everyone)|\b(?:it|this|that|they|you|everything|(?:(?:the|your) )?"
        + one_of(
            "success approval admission results? profits? returns? win money cure place recovery"
        )
        + r")(?:'s|'re| is| are| will be|'ll be)(?: absolutely| fully| completely| totally)? "
        r"guaranteed(?! (?:issue|by the|under|for (?:an?|two|three|five|ten|\d)))|\bguaranteed "
        r"(?:\w+ ){0,3}(?:returns?|profits?|growth|gains?|results?|success|cure|wins?|victory"
        rf"|income(?! (?:rider|annuit\w+|stream))|approval|recovery|outcome|to {_WIN})\b"
        r"|(?:^\W*(?:[\w%]+ ){0,3}|, )guaranteed[.!]*$|\bguarantee of (?:success|profit|returns?"
        r"|recovery)|\byou have my (?:word|guarantee)(?! that (?:i|we))|\bmark my words",
    ),
    (
        "will 'll going_to bound certain sure promise",
        rf"\b{_IT}?(?: |\b){_WILL} (?:{_SURELY} )?(?:(?:double|triple) (?:your|in)"
        r"|make you (?:rich|a millionaire)|never (?:lose|fail|crash|go down|drop|come back)"
        rf"|cure (?:your|the|him|her|you|any|all)|{_SURELY} {_WIN})\b|\b{_WILL} {_SURELY} {_WIN}\b"
        rf"|\b(?:is|are) (?:bound|certain|sure) to {_WIN}\b|\b(?:i|we) promise (?:you )?(?:that "
        rf")?{_IT}(?:(?: will|'ll|(?:'re|'s| is| are) going to) (?:\w+ )?{_WIN}| won't (?:lose"
        rf"|fail|regret))\b",
    ),
)
_NO_GUARANTEE = (
    r"\brisk (?:in|of) (?:asking|trying|calling|talking|looking)|\bmoney[- ]back|\bwarrant(?:y"
    r"|ies)|\brisk[- ]free (?:trial|rate)|\bguaranteed (?:issue|minimum|universal|renewable|rate)"
    r"|\bfdic\b|\bdeposit insurance|\binsured\b|\bloan\b|%? cotton|\bfoolproof recipe"
)
"""Guarantees of a product by name, by law, or in an idiom."""

RULES = (
    *_MEDICAL,
    *_LEGAL,
    *_FINANCIAL,
    *_SELF_HARM,
    *(
        Rule("guarantee", stems, phrase, None, DENIED, _NO_GUARANTEE)
        for stems, phrase in _GUARANTEES
    ),
)
"""All rules; a sentence is searched for each of them until its turn has that kind of flag."""
